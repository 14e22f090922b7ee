"""The time limits of a candidate: on the processor time of its processes, and a larger one on wall-clock time.

Processor time does not depend on other load, so the verdict does not either. The wall clock limits candidates that
sleep or wait and use no processor time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Protocol

from nnx_conformance.core.plan import Request

#: A case may take this many times as long as the contract's right candidate, if that exceeds the limit: on a slow
#: machine a slow case is no endless loop.
FACTOR = 20.0
#: The seconds between two checks of a process's time.
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """The limits, in processor seconds of a candidate's processes with all threads and children.

    Attributes:
        case_seconds: for one case with all its runs; at least `FACTOR` times the time of the right candidate.
        run_seconds: for all cases together, over all processes of the candidate.
        load_seconds: for importing it; large packages take minutes.
        wall: the factor for limits on wall-clock time.
    """

    case_seconds: float = 30.0
    run_seconds: float = 600.0
    load_seconds: float = 180.0
    wall: float = 4.0


class ReferenceTime(Protocol):
    """Measures the contract's right candidate."""

    def seconds(self, request: Request) -> float:
        """The processor seconds that it uses for this request here; 0.0 if unknown."""
        ...


class Clock:
    """The total time that one candidate has used in all its processes since its first case.

    Args:
        limits: the limits.
        reference: measures the right candidate when a case takes long; without it, only `limits` apply.
    """

    def __init__(self, limits: Limits, reference: ReferenceTime | None = None) -> None:
        self.limits = limits
        self.reference = reference
        self._used: dict[int, float] = {}
        self._since = float("inf")
        self._next = 0.0

    def start(self) -> None:
        """Start the clock, unless it runs already."""
        if self._since == float("inf"):
            self._since = time.monotonic()
            self._next = self._since + self._least(0.0)

    @property
    def due(self) -> bool:
        """Whether enough time has passed that the processor time may be used up."""
        return time.monotonic() >= self._next

    def note(self, process: int, used: float) -> None:
        """Record the processor seconds of one of the processes so far."""
        self._used[process] = max(used, self._used.get(process, 0.0))
        self._next = time.monotonic() + max(LOOK_SECONDS, self._least(self.used))

    @property
    def used(self) -> float:
        """The recorded processor seconds of all processes."""
        return sum(self._used.values())

    @property
    def over(self) -> str:
        """Which limit is exceeded, in words; empty if none is."""
        if self.used > self.limits.run_seconds:
            return f"the whole run used more than {self.limits.run_seconds:g} s of processor time"
        wall = self.limits.run_seconds * self.limits.wall
        return f"the whole run took longer than {wall:g} s" if time.monotonic() - self._since > wall else ""

    def _least(self, used: float) -> float:
        """The fewest seconds in which all cores could use up the rest; at most a minute."""
        return min((self.limits.run_seconds - used) / (os.cpu_count() or 1), LOOK_SECONDS * 60)


@dataclass
class TimeWatch:
    """The time limit of one action of a process.

    Attributes:
        doing: the action, in words.
        seconds: its limit in processor seconds.
        wall: its limit in wall-clock seconds.
        began: when it began, by `time.monotonic`.
        first: the processor seconds of the process at the first check; None before it.
    """

    doing: str
    seconds: float
    wall: float
    began: float
    first: float | None = None

    def over(self, now: float, used: float | None) -> str:
        """Which limit is exceeded, in words; empty if none is.

        Args:
            now: by `time.monotonic`.
            used: the processor seconds of the process so far; None if the host does not report them.
        """
        if used is not None:
            self.first = used if self.first is None else self.first
            if used - self.first > self.seconds:
                return f"{self.doing} used more than {self.seconds:.3g} s of processor time"
        if now - self.began > self.wall:
            return f"{self.doing} took longer than {self.wall:.3g} s, most of which it slept or waited"
        return ""
