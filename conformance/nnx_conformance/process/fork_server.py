"""Starts and controls a fork server, and through it the processes of candidates."""

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

#: Long, because a busy machine imports JAX slowly, and a fork server answers late while it ends another process.
START_SECONDS, ANSWER_SECONDS, CLOSE_SECONDS = 600.0, 120.0, 10.0

#: The judge's environment variables that candidates get at levels `limits` and `sandbox`, besides those of the jail.
HARMLESS = ("PATH", "LANG", "LANGUAGE", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
HARMLESS_STARTS = ("LC_", "JAX_", "XLA_", "FLAX_", "COVERAGE_")


class ForkServer:
    """A fork server's process. Starting returns at once, so that it imports JAX while the judge imports its own code.

    A context manager; leaving it ends the fork server and all its candidates' processes.

    Args:
        jail: the limits of the candidates.
        environment: further variables that they get.
    """

    def __init__(self, jail: Jail, environment: dict[str, str] | None = None) -> None:
        self.jail = jail
        self._numbers = itertools.count(1)
        self._obtained: Obtained | None = None
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, contextlib.ExitStack() as half_started:
            with held_back():
                self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
                # Made here, so that it is removed even if the fork server is killed.
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
        """The isolation that the host provides; waits until the fork server has started.

        Raises:
            Misuse: if the host cannot provide the level of the jail.
            KitError: if the fork server did not start.
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
        """Whether the fork server runs."""
        return self._process.poll() is None

    def fork(self, questions: int, answers: int, output: int) -> int:
        """Start a process with these descriptors, without waiting.

        Returns:
            its number, by which the other methods name it.
        """
        number = next(self._numbers)
        with contextlib.suppress(OSError):  # the fork server is dead, which the process's pipes soon show
            control.send(self._connection, {"do": "fork", "number": number}, (questions, answers, output))
        return number

    def used(self, number: int) -> float | None:
        """The processor seconds of a process and its descendants; None if the host does not report them."""
        if self._obtained is None:
            return 0.0  # still importing, so nothing is forked yet
        used: float | None = self._reply({"do": "time", "number": number}, ANSWER_SECONDS)["used"]
        return used

    def end(self, number: int, grace: float) -> tuple[int, bool, float]:
        """End a process and its descendants.

        Returns:
            its exit status, whether it had to be killed after `grace` s, and the processor seconds that it used.
        """
        if self._obtained is None:
            return 0, True, 0.0  # still importing; the process will be forked with closed pipes, and end
        reply = self._reply({"do": "end", "number": number, "grace": grace}, grace + ANSWER_SECONDS)
        return reply["status"], reply["killed"], reply["used"] or 0.0

    def _reply(self, record: dict[str, Any], seconds: float) -> dict[str, Any]:
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
        """End the fork server and all its candidates' processes."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)  # tells it to end its processes and exit
        try:
            if self._obtained is None:
                self._process.kill()  # still importing, so nothing is forked yet
            self._process.wait(CLOSE_SECONDS)
            self._wait_for_hang_up()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._remove()

    def _remove(self) -> None:
        self._connection.close()
        shutil.rmtree(self._base, ignore_errors=True)  # a killed fork server leaves it behind
        self._output.close()

    def _wait_for_hang_up(self) -> None:
        """Wait for the end of the serving process, which may be a child of the one started here."""
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
    """The environment of candidates: on the CPU by default, without 64-bit types, and with reproducible hashes."""
    passed = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP" and _passes(name, jail)}
    # A process must have a single thread to fork. JAX need not filter tracebacks: we read only the candidate's lines.
    defaults = {"JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1", "JAX_TRACEBACK_FILTERING": "off"}
    fixed = {"JAX_ENABLE_X64": "0", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "", "PYTHONWARNINGS": ""}
    return {**defaults, **passed, **fixed, **compile_cache.SETTINGS}


def _passes(name: str, jail: Jail) -> bool:
    return jail.level == "process" or name in (*HARMLESS, *jail.pass_env) or name.startswith(HARMLESS_STARTS)
