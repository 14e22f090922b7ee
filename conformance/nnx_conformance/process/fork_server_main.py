"""The fork server's process: imports JAX, Flax and the spies once, then forks a fresh process for each candidate.

Started as `python -P -m nnx_conformance.process.fork_server_main CONTROL_FD JAIL DIRECTORY`. It never starts a JAX
backend (a process that is forked after one has started hangs at its first compilation), never imports a contract or a
reference, and never runs a line of a candidate. It does what the judge says on the control socket, record by record.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import shutil
import signal
import socket
import sys
import time
import traceback

from nnx_conformance.process import control, interrupts
from nnx_conformance.sandbox import isolation, linux, processor
from nnx_conformance.sandbox.isolation import Isolation
from nnx_conformance.sandbox.jail import Jail

STRAYS_ROUNDS, POLL_SECONDS = 200, 0.002


def main() -> None:
    """Serve the judge until it hangs up."""
    interrupts.admit()
    connection = socket.socket(fileno=int(sys.argv[1]))
    jail, base = control.jail(sys.argv[2]), sys.argv[3]
    prepared = isolation.prepare(jail, base)
    try:
        _serve(connection, jail, prepared)
    except BrokenPipeError:
        pass  # the judge has gone while this imported
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _serve(connection: socket.socket, jail: Jail, prepared: Isolation) -> None:
    import jax.numpy  # noqa: F401 - while the judge imports what it needs itself

    from nnx_conformance.process import worker

    worker.warm_up()
    gc.collect()
    gc.freeze()  # so that collecting garbage in a child does not copy every page
    control.send(connection, {"obtained": dataclasses.asdict(prepared.obtained)})
    fork_server = _Server(connection, jail, prepared)
    try:
        fork_server.serve()
    finally:
        fork_server.end_all()


@dataclasses.dataclass(frozen=True)
class _Child:
    """A candidate's process, and the first process of its namespace; 0 without namespaces."""

    pid: int
    first: int


class _Server:
    """The candidates' processes that run now, by the judge's number for them."""

    def __init__(self, connection: socket.socket, jail: Jail, prepared: Isolation) -> None:
        self._connection = connection
        self._jail = jail
        self._prepared = prepared
        self._running: dict[int, _Child] = {}

    def serve(self) -> None:
        while (received := control.receive(self._connection)) is not None:
            record, descriptors = received
            if record["do"] == "fork":
                self._fork(record["number"], descriptors)
                continue
            number = record["number"]
            reply: dict[str, object] = {"number": number}
            if record["do"] == "time":
                reply["used"] = self._used(number)
            else:
                reply["status"], reply["killed"], reply["used"] = self._end(number, record["grace"])
            control.send(self._connection, reply)

    def end_all(self) -> None:
        """End whatever runs."""
        for number in list(self._running):
            self._end(number, 0.0)

    def _fork(self, number: int, descriptors: list[int]) -> None:
        from nnx_conformance.observe import flax_versions

        assert not flax_versions.backend_is_up(), "A JAX backend is up in the fork server; what it forks would hang."
        home = self._home(number)
        first = self._first() if self._prepared.namespaces else 0
        child = os.fork()
        if child == 0:
            _be_candidate(self._jail, self._prepared, home, descriptors)
        if self._prepared.namespaces:
            linux.setns(self._prepared.processes, linux.CLONE_NEWPID)
        self._running[number] = _Child(child, first)
        for descriptor in descriptors:
            os.close(descriptor)

    def _first(self) -> int:
        """Begin a namespace, of which the next child is the second process.

        The first one does not fork it: libraries that watch forks, such as filelock 4, know a process by its number,
        and this one has the same as the fork server.
        """
        linux.unshare(linux.CLONE_NEWPID)
        first = os.fork()
        if first == 0:
            _be_first()
        return first

    def _home(self, number: int) -> str:
        if self._prepared.namespaces:
            return self._prepared.base  # where each child mounts a file system of its own
        home = os.path.join(self._prepared.base, str(number))
        os.mkdir(home, 0o700)
        return home

    def _used(self, number: int) -> float | None:
        """The processor seconds of a process, and of what it started; what was left behind counts for all that run."""
        if not processor.known():
            return None
        child = self._running[number]
        return sum(map(processor.seconds, filter(None, (child.pid, child.first)))) + processor.strays(self._known())

    def _known(self) -> set[int]:
        return {pid for child in self._running.values() for pid in (child.pid, child.first)}

    def _end(self, number: int, grace: float) -> tuple[int, bool, float | None]:
        """How a process ended, whether it had to be killed, and the processor seconds that it used."""
        used = self._used(number)
        child = self._running.pop(number)
        killed = not _ends_within(child.pid, grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        if killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        _, status = os.waitpid(child.pid, 0)
        if child.first:
            os.kill(child.first, signal.SIGKILL)  # and with it all that is in its namespace
            os.waitpid(child.first, 0)
        self._end_strays()
        if not self._prepared.namespaces:
            _remove(os.path.join(self._prepared.base, str(number)))
        return os.waitstatus_to_exitcode(status), killed, used

    def _end_strays(self) -> None:
        """Kill what candidates left behind: orphans have become children of this process."""
        for _ in range(STRAYS_ROUNDS):
            strays = set(_children()) - self._known()
            if not strays:
                return
            for stray in strays:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(stray, signal.SIGKILL)
            for stray in strays:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(stray, 0)


def _ends_within(child: int, seconds: float) -> bool:
    """Whether a process ends in time; it is not reaped, so its number stays its own."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _children() -> list[int]:
    if not linux.LINUX:
        return []
    with open("/proc/thread-self/children") as file:
        return [int(text) for text in file.read().split()]


def _remove(folder: str) -> None:
    def unlock(function: object, path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)

    for _ in range(3):  # a candidate may have taken its own rights to its directories away
        shutil.rmtree(folder, onerror=unlock)
        if not os.path.exists(folder):
            return


def _be_first() -> None:
    """The life of the first process of a namespace. It is deaf to signals from within, so no candidate may be it."""
    try:
        linux.die_with_parent()
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        while True:
            signal.pause()
    finally:
        os._exit(0)


def _be_candidate(jail: Jail, prepared: Isolation, home: str, descriptors: list[int]) -> None:
    """The life of a child: enter the jail, answer questions, end. Never returns."""
    from nnx_conformance.process import worker

    status = 1
    try:
        reader, writer = _arrange(descriptors)
        isolation.enter(jail, prepared, home)
        worker.serve(reader, writer, home)
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may climb up into what the fork server does
        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(status)


def _arrange(descriptors: list[int]) -> tuple[int, int]:
    """Standard input closed, standard output and errors one file, the two pipes next, and nothing else open."""
    wanted = (os.open(os.devnull, os.O_RDONLY), descriptors[2], descriptors[2], descriptors[0], descriptors[1])
    high = [os.dup2(descriptor, 100 + place) for place, descriptor in enumerate(wanted)]
    for place, descriptor in enumerate(high):
        os.dup2(descriptor, place)
    os.closerange(len(wanted), os.sysconf("SC_OPEN_MAX"))
    return 3, 4


if __name__ == "__main__":
    main()
