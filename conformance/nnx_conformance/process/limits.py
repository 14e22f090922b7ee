"""What a candidate may take: processor time of its own processes, and by the clock on the wall far more.

Processor time does not depend on what else the machine does, so neither does the verdict. The clock on the wall is for
what sleeps or waits, and uses none.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Protocol

from nnx_conformance.core.plan import Request

#: For one case, so many times what the contract's right candidate uses for it, if that is more than the limit: what
#: a slow machine makes slow is no loop that does not end.
FACTOR = 20.0
#: How often a process is looked at, in seconds.
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """What a candidate may take, in seconds of processor time of its processes, all threads and children.

    Attributes:
        case_seconds: for one case with all its runs, and at least `FACTOR` times what the right candidate takes.
        run_seconds: for all cases together, over all processes that it is given.
        load_seconds: for importing it; large packages take minutes.
        wall: as much more by the clock on the wall.
    """

    case_seconds: float = 30.0
    run_seconds: float = 600.0
    load_seconds: float = 180.0
    wall: float = 4.0


class ReferenceTime(Protocol):
    """Measures the contract's right candidate."""

    def seconds(self, request: Request) -> float:
        """The processor time that it uses for this request here; 0.0 if that cannot be known."""
        ...


class Clock:
    """How much one candidate has used in all, over all processes that it is given; starts with its first case.

    Args:
        limits: what it may use.
        reference: what a case is measured by that takes long; without one, by `limits` alone.
    """

    def __init__(self, limits: Limits, reference: ReferenceTime | None = None) -> None:
        self.limits = limits
        self.reference = reference
        self._used: dict[int, float] = {}
        self._since = float("inf")
        self._next = 0.0

    def start(self) -> None:
        """Start, unless it runs already."""
        if self._since == float("inf"):
            self._since = time.monotonic()
            self._next = self._since + self._least(0.0)

    @property
    def due(self) -> bool:
        """Whether so much time has passed that all of the processor time may have been used."""
        return time.monotonic() >= self._next

    def note(self, process: int, used: float) -> None:
        """Note how much one of the processes has used so far."""
        self._used[process] = max(used, self._used.get(process, 0.0))
        self._next = time.monotonic() + max(LOOK_SECONDS, self._least(self.used))

    @property
    def used(self) -> float:
        """Processor seconds of all processes, as far as they were noted."""
        return sum(self._used.values())

    @property
    def over(self) -> str:
        """Which time is up, in words; empty while there is some."""
        if self.used > self.limits.run_seconds:
            return f"the whole run used more than {self.limits.run_seconds:g} s of processor time"
        wall = self.limits.run_seconds * self.limits.wall
        return f"the whole run took longer than {wall:g} s" if time.monotonic() - self._since > wall else ""

    def _least(self, used: float) -> float:
        """The seconds in which the rest could be used up at the earliest, on all cores."""
        return min((self.limits.run_seconds - used) / (os.cpu_count() or 1), LOOK_SECONDS * 60)


@dataclass
class TimeWatch:
    """One thing that a process does: whether it has used up its time.

    Attributes:
        doing: what, in words.
        seconds: of processor time.
        wall: by the clock on the wall.
        began: when it was begun, on the scale of `time.monotonic`.
        first: what the process had used when it was looked at for the first time; None before that.
    """

    doing: str
    seconds: float
    wall: float
    began: float
    first: float | None = None

    def over(self, now: float, used: float | None) -> str:
        """Which time is up, in words; empty while there is some.

        Args:
            now: on the scale of `time.monotonic`.
            used: the processor seconds of the process in all; None where the host does not tell.
        """
        if used is not None:
            self.first = used if self.first is None else self.first
            if used - self.first > self.seconds:
                return f"{self.doing} used more than {self.seconds:.3g} s of processor time"
        if now - self.began > self.wall:
            return f"{self.doing} took longer than {self.wall:.3g} s, most of which it slept or waited"
        return ""
