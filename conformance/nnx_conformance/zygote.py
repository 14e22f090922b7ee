"""The judge's hold on a zygote, and through it on the processes of candidates."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from nnx_conformance import compile_cache, control
from nnx_conformance.errors import CannotObserve, KitError, Misuse
from nnx_conformance.isolation.jail import Jail, Obtained

START_SECONDS, END_SECONDS, CLOSE_SECONDS = 120.0, 30.0, 10.0

#: What `limits` and `sandbox` let through of the judge's environment, beside what the jail names.
HARMLESS = ("PATH", "LANG", "LANGUAGE", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
HARMLESS_STARTS = ("LC_", "JAX_", "XLA_", "FLAX_", "COVERAGE_")


class Zygote:
    """Starting returns at once: the zygote imports JAX and Flax while the judge imports what it needs itself.

    A context manager; leaving it ends the zygote and whatever it has forked.

    Args:
        jail: what the candidates are kept to.
        environment: variables that they get beside those that the jail lets through.
    """

    def __init__(self, jail: Jail, environment: dict[str, str] | None = None) -> None:
        self.jail = jail
        self._numbers = itertools.count(1)
        self._obtained: Obtained | None = None
        self._base = ""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "nnx_conformance.zygote_process", number, control.jail_text(jail)],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={**_environment(jail), **(environment or {})},
            )

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def obtained(self) -> Obtained:
        """What the host gives; waits until the zygote has started.

        Raises:
            Misuse: if a level was asked for that cannot be had.
            KitError: if it did not start.
        """
        if self._obtained is None:
            hello = self._receive(START_SECONDS)
            if hello is None:
                raise KitError(f"The zygote, which starts the candidates' processes, did not start: {self._wrote()}")
            obtained = hello["obtained"]
            self._obtained = Obtained(**{**obtained, "parts": tuple(obtained["parts"])})
            self._base = hello["base"]
        if self._obtained.refused:
            raise Misuse(
                f"Expected an isolation that this host can give but got --isolation={self.jail.level!r} (type=str). "
                f"{self._obtained.refused}. Ask for {self._obtained.level!r}, or leave it out; "
                "`nnx-conformance doctor` tells how to get more."
            )
        return self._obtained

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def fork(self, questions: int, answers: int, output: int) -> int:
        """Ask for a process with these descriptors, without waiting; its number."""
        number = next(self._numbers)
        with contextlib.suppress(OSError):  # it is dead; the process's pipes tell that soon enough
            control.send(self._connection, {"do": "fork", "number": number}, (questions, answers, output))
        return number

    def end(self, number: int, grace: float) -> tuple[int, bool]:
        """End a process and all that it started: how it ended, and whether it did not end itself within `grace` s."""
        assert self.obtained
        try:
            control.send(self._connection, {"do": "end", "number": number, "grace": grace})
            reply = self._receive(grace + END_SECONDS)
        except OSError:
            reply = None
        if reply is None:
            raise CannotObserve(f"The zygote, which starts the candidates' processes, is gone: {self._wrote()}")
        assert reply["number"] == number
        return reply["status"], reply["killed"]

    def close(self) -> None:
        """End the zygote and all that it forked."""
        self._connection.close()  # it ends what it has forked, removes its directory and leaves
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._base:  # one that was killed has left it
            shutil.rmtree(self._base, ignore_errors=True)
        self._output.close()

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        self._connection.settimeout(seconds)
        try:
            received = control.receive(self._connection)
        except OSError:
            return None
        return received and received[0]

    def _wrote(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        return (
            os.pread(self._output.fileno(), 2000, max(0, size - 2000)).decode("utf-8", "replace") or "it said nothing"
        )


def _environment(jail: Jail) -> dict[str, str]:
    """The environment of candidates: on the CPU unless told otherwise, 32 bits, the same hashes every time."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP" and _passes(name, jail)}
    # A zygote has a single thread. Of a traceback the kit reads the candidate's lines alone: JAX need not filter it.
    defaults = {"JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1", "JAX_TRACEBACK_FILTERING": "off"}
    fixed = {"JAX_ENABLE_X64": "0", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "", "PYTHONWARNINGS": ""}
    return {**defaults, **kept, **fixed, **compile_cache.SETTINGS}


def _passes(name: str, jail: Jail) -> bool:
    return jail.level == "process" or name in (*HARMLESS, *jail.pass_env) or name.startswith(HARMLESS_STARTS)
