"""How much processor time a process has used, with all its threads and all that it started."""

from __future__ import annotations

import contextlib
import os
import time

from nnx_conformance.sandbox import linux

#: The clock of all threads of a process, as `clock_getcpuclockid(3)` makes it of the process's number.
SCHEDULED = 2
#: Where `/proc/PID/stat` counts, after the name, the children that ended and were waited for: user and system time.
WAITED_FOR = (13, 14)


def known() -> bool:
    """Whether this host tells the processor time of other processes; where not, only the clock on the wall limits."""
    return linux.LINUX


def seconds(process: int) -> float:
    """The processor time of a process and of what it started; 0.0 for one that is gone.

    A process that its parent left behind is nobody's child here: `strays` has it.
    """
    own_view = _own_view()
    return sum(_own(each) + (_waited_for(each) if own_view else 0.0) for each in _family(process, own_view))


def strays(known_children: set[int]) -> float:
    """The same of all children of this process but those: what processes that have ended left behind."""
    if not _own_view():
        return 0.0
    return sum(seconds(child) for child in children("self") if child not in known_children)


def children(process: int | str) -> list[int]:
    """The children of all threads of a process; none where the system does not say."""
    listed: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/children") as file:
                listed += map(int, file.read().split())
    return listed


def _own_view() -> bool:
    """Whether /proc numbers processes as this one does: in a container, it may be that of an outer namespace."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self") == str(os.getpid())
    return False


def _family(process: int, own_view: bool) -> list[int]:
    family = [process]
    for each in family:  # grows meanwhile
        family += children(each) if own_view else ()
    return family


def _own(process: int) -> float:
    with contextlib.suppress(OSError):
        return time.clock_gettime(~process << 3 | SCHEDULED)
    return 0.0


def _waited_for(process: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return sum(int(fields[place]) for place in WAITED_FOR) / os.sysconf("SC_CLK_TCK")
    return 0.0
