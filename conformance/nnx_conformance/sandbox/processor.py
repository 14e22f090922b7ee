"""The processor time of a process with all its threads and descendants."""

from __future__ import annotations

import contextlib
import os
import time

from nnx_conformance.sandbox import linux

#: The kind of clock, in `clock_getcpuclockid(3)`, that counts all threads of a process.
SCHEDULED = 2
#: The fields of `/proc/PID/stat`, after the name, with user and system time of children that were waited for.
WAITED_FOR = (13, 14)


def known() -> bool:
    """Whether this host reports the processor time of other processes; otherwise only wall-clock time is limited."""
    return linux.LINUX


def seconds(process: int) -> float:
    """The processor seconds of a process and its descendants; 0.0 if it has ended.

    Orphans are not among them; see `strays`.
    """
    own_view = _own_view()
    return sum(_own(member) + (_waited_for(member) if own_view else 0.0) for member in _family(process, own_view))


def strays(known_children: set[int]) -> float:
    """The processor seconds of this process's other children: orphans of processes that have ended."""
    if not _own_view():
        return 0.0
    return sum(seconds(child) for child in children("self") if child not in known_children)


def children(process: int | str) -> list[int]:
    """The children of all threads of a process; none if the system does not report them."""
    numbers: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/children") as file:
                numbers += map(int, file.read().split())
    return numbers


def _own_view() -> bool:
    """Whether /proc shows this process's own namespace; in a container it may show an outer one."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self") == str(os.getpid())
    return False


def _family(process: int, own_view: bool) -> list[int]:
    family = [process]
    for member in family:  # grows during the loop
        family += children(member) if own_view else ()
    return family


def _own(process: int) -> float:
    with contextlib.suppress(OSError):
        return time.clock_gettime(~process << 3 | SCHEDULED)
    return 0.0


def _waited_for(process: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return sum(int(fields[index]) for index in WAITED_FOR) / os.sysconf("SC_CLK_TCK")
    return 0.0
