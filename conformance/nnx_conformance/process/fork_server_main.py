"""The fork server's process: imports JAX, Flax and the spies once, then forks a fresh process for each candidate.

Started as `python -P -m nnx_conformance.process.fork_server_main CONTROL_FD JAIL DIRECTORY`. It never starts a JAX
backend (a process forked after that hangs at its first compilation), never imports a contract or a reference, and never
runs a line of a candidate. It obeys the judge's records on the control socket, one by one.
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
    """Serve the judge until it closes the connection."""
    interrupts.admit()
    connection = socket.socket(fileno=int(sys.argv[1]))
    jail, base = control.jail(sys.argv[2]), sys.argv[3]
    prepared = isolation.prepare(jail, base)
    try:
        _serve(connection, jail, prepared)
    except BrokenPipeError:
        pass  # the judge ended while this process was importing
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _serve(connection: socket.socket, jail: Jail, prepared: Isolation) -> None:
    import jax.numpy  # noqa: F401 - imported here, while the judge imports its own code

    from nnx_conformance.process import worker

    worker.warm_up()
    gc.collect()
    gc.freeze()  # otherwise a garbage collection in a child would copy every page
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
    """Obeys the judge's records, and keeps the running processes by the judge's numbers."""

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
        """End all running processes."""
        for number in list(self._running):
            self._end(number, 0.0)

    def _fork(self, number: int, descriptors: list[int]) -> None:
        from nnx_conformance.observe import flax_versions

        assert not flax_versions.backend_is_up(), "A JAX backend is up in the fork server; what it forks would hang."
        home = self._home(number)
        first = self._begin_namespace() if self._prepared.namespaces else 0
        child = os.fork()
        if child == 0:
            _be_candidate(self._jail, self._prepared, home, descriptors)
        if self._prepared.namespaces:
            linux.setns(self._prepared.processes, linux.CLONE_NEWPID)
        self._running[number] = _Child(child, first)
        for descriptor in descriptors:
            os.close(descriptor)

    def _begin_namespace(self) -> int:
        """Begin a process namespace and return its first process; the next child, a candidate's, is the second.

        That process does not fork the candidate's, because it has the same number as the fork server in its own
        namespace, and libraries such as filelock 4 recognise a fork by a changed process number.
        """
        linux.unshare(linux.CLONE_NEWPID)
        first = os.fork()
        if first == 0:
            _be_first()
        return first

    def _home(self, number: int) -> str:
        if self._prepared.namespaces:
            return self._prepared.base  # each child mounts a file system of its own on it
        home = os.path.join(self._prepared.base, str(number))
        os.mkdir(home, 0o700)
        return home

    def _used(self, number: int) -> float | None:
        """The processor seconds of a process, its descendants, and all orphans; None if the host does not report them.

        We cannot tell which candidate left an orphan behind, so orphans count for all that run.
        """
        if not processor.known():
            return None
        child = self._running[number]
        return sum(map(processor.seconds, filter(None, (child.pid, child.first)))) + processor.strays(self._known())

    def _known(self) -> set[int]:
        return {pid for child in self._running.values() for pid in (child.pid, child.first)}

    def _end(self, number: int, grace: float) -> tuple[int, bool, float | None]:
        """End a process; its exit status, whether it had to be killed, and the processor seconds that it used."""
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
            os.kill(child.first, signal.SIGKILL)  # this kills every process in its namespace
            os.waitpid(child.first, 0)
        self._end_strays()
        if not self._prepared.namespaces:
            _remove(os.path.join(self._prepared.base, str(number)))
        return os.waitstatus_to_exitcode(status), killed, used

    def _end_strays(self) -> None:
        """Kill the orphans of candidates, which have become children of this process."""
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
    """Whether a process ends in time; it is not reaped, so that its number stays its own."""
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

    for _ in range(3):  # a candidate may have removed the permissions of its own folders
        shutil.rmtree(folder, onerror=unlock)
        if not os.path.exists(folder):
            return


def _be_first() -> None:
    """Run the first process of a namespace, which waits to be killed.

    Candidates do not run in it, because the kernel shields it from signals of its own namespace.
    """
    try:
        linux.die_with_parent()
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        while True:
            signal.pause()
    finally:
        os._exit(0)


def _be_candidate(jail: Jail, prepared: Isolation, home: str, descriptors: list[int]) -> None:
    """Run a candidate's process: enter the jail, answer questions, exit. Never returns."""
    from nnx_conformance.process import worker

    status = 1
    try:
        reader, writer = _arrange(descriptors)
        isolation.enter(jail, prepared, home)
        worker.serve(reader, writer, home)
        status = 0
    except BaseException:  # noqa: BLE001 - no exception may reach the fork server's code
        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(status)


def _arrange(descriptors: list[int]) -> tuple[int, int]:
    """Arrange the descriptors: no input, output and errors in one file, the two pipes as 3 and 4, all others closed."""
    ordered = (os.open(os.devnull, os.O_RDONLY), descriptors[2], descriptors[2], descriptors[0], descriptors[1])
    high = [os.dup2(descriptor, 100 + number) for number, descriptor in enumerate(ordered)]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number)
    os.closerange(len(ordered), os.sysconf("SC_OPEN_MAX"))
    return 3, 4


if __name__ == "__main__":
    main()
