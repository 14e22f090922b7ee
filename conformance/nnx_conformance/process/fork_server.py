"""The judge's hold on a fork server, and through it on the processes of candidates."""

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

from nnx_conformance.core.errors import CannotObserve, KitError, Misuse
from nnx_conformance.process import control
from nnx_conformance.process.interrupts import held_back
from nnx_conformance.sandbox import compile_cache, isolation
from nnx_conformance.sandbox.jail import Jail, Obtained

#: Long: a busy machine takes long to import JAX, and a fork server that is busy ending another process answers late.
START_SECONDS, ANSWER_SECONDS, CLOSE_SECONDS = 600.0, 120.0, 10.0

#: What `limits` and `sandbox` let through of the judge's environment, beside what the jail names.
HARMLESS = ("PATH", "LANG", "LANGUAGE", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
HARMLESS_STARTS = ("LC_", "JAX_", "XLA_", "FLAX_", "COVERAGE_")


class ForkServer:
    """Starting returns at once: the fork server imports JAX and Flax while the judge imports what it needs itself.

    A context manager; leaving it ends the fork server and whatever it has forked.

    Args:
        jail: what the candidates are kept to.
        environment: variables that they get beside those that the jail lets through.
    """

    def __init__(self, jail: Jail, environment: dict[str, str] | None = None) -> None:
        self.jail = jail
        self._numbers = itertools.count(1)
        self._obtained: Obtained | None = None
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, contextlib.ExitStack() as half_started:
            with held_back():
                self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
                # Made here, so that it is removed whatever becomes of the fork server.
                self._base = tempfile.mkdtemp(prefix=isolation.PREFIX)
                half_started.callback(self._remove)
                self._process = self._started(theirs.fileno(), environment or {})
                half_started.callback(self._process.kill)
            half_started.pop_all()

    def _started(self, theirs: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        module = "nnx_conformance.process.fork_server_main"
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs), control.jail_text(self.jail), self._base],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(theirs,),
            start_new_session=True,
            env={**_environment(self.jail), **environment},
        )

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def obtained(self) -> Obtained:
        """What the host gives; waits until the fork server has started.

        Raises:
            Misuse: if a level was asked for that cannot be had.
            KitError: if it did not start.
        """
        if self._obtained is None:
            hello = self._receive(START_SECONDS)
            if hello is None:
                raise KitError(
                    f"The fork server, which starts the candidates' processes, did not start: {self._wrote()}"
                )
            obtained = hello["obtained"]
            self._obtained = Obtained(**{**obtained, "parts": tuple(obtained["parts"])})
        if self._obtained.refused:
            raise Misuse(
                f"Expected an isolation that this host can give but got --isolation={self.jail.level!r} (type=str). "
                f"{self._obtained.refused}. Ask for {self._obtained.level!r}, or leave it out; "
                "`nnx-conformance doctor` says how to get more."
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

    def used(self, number: int) -> float | None:
        """The processor seconds of a process and of all that it started; None where the host does not tell."""
        if self._obtained is None:
            return 0.0  # it still imports, and has forked nothing
        used: float | None = self._asked({"do": "time", "number": number}, ANSWER_SECONDS)["used"]
        return used

    def end(self, number: int, grace: float) -> tuple[int, bool, float]:
        """End a process and all that it started.

        Returns:
            how it ended, whether it did not end itself within `grace` s, and the processor seconds that it used.
        """
        if self._obtained is None:
            return 0, True, 0.0  # it still imports; what it is to fork will find that nobody asks, and end
        reply = self._asked({"do": "end", "number": number, "grace": grace}, grace + ANSWER_SECONDS)
        return reply["status"], reply["killed"], reply["used"] or 0.0

    def _asked(self, record: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            control.send(self._connection, record)
            reply = self._receive(seconds)
        except OSError:
            reply = None
        if reply is None:
            raise CannotObserve(f"The fork server, which starts the candidates' processes, is gone: {self._wrote()}")
        assert reply["number"] == record["number"]
        return reply

    def close(self) -> None:
        """End the fork server and all that it forked."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)  # it ends what it has forked and leaves
        try:
            if self._obtained is None:
                self._process.kill()  # it still imports, and has forked nothing
            self._process.wait(CLOSE_SECONDS)
            self._hung_up()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._remove()

    def _remove(self) -> None:
        self._connection.close()
        shutil.rmtree(self._base, ignore_errors=True)  # one that was killed has left it
        self._output.close()

    def _hung_up(self) -> None:
        """Wait for the end of the process that serves, which may be a child of the one that was waited for."""
        self._connection.settimeout(CLOSE_SECONDS)
        with contextlib.suppress(OSError):
            while self._connection.recv(control.RECORD):
                pass

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
    """The environment of candidates: on the CPU unless the user says otherwise, 32 bits, the same hashes every time."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP" and _passes(name, jail)}
    # A fork server has one thread. The kit reads only the candidate's lines of a traceback: JAX need not filter it.
    defaults = {"JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1", "JAX_TRACEBACK_FILTERING": "off"}
    fixed = {"JAX_ENABLE_X64": "0", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "", "PYTHONWARNINGS": ""}
    return {**defaults, **kept, **fixed, **compile_cache.SETTINGS}


def _passes(name: str, jail: Jail) -> bool:
    return jail.level == "process" or name in (*HARMLESS, *jail.pass_env) or name.startswith(HARMLESS_STARTS)
