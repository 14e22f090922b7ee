"""How sure a frequency is: the exact interval of a binomial proportion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

CONFIDENCE = 0.95
STEPS = 60


@dataclass(frozen=True)
class Interval:
    """A probability that was estimated by repeated runs, and the bounds in which it lies with 95 % confidence.

    Attributes:
        hits, runs: how often it happened, in how many runs.
        low, high: the exact bounds of Clopper and Pearson (1934).
    """

    hits: int
    runs: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """How often it happened, of all runs; 0 for no runs."""
        return self.hits / self.runs if self.runs else 0.0

    def __str__(self) -> str:
        return f"{self.share:.2f} [{self.low:.2f}, {self.high:.2f}]"


def interval(hits: int, runs: int) -> Interval:
    """The interval of `hits` in `runs`, from sums of the binomial distribution: no SciPy is needed for it.

    Raises:
        ValueError: if `hits` lies outside [0, `runs`].
    """
    if not 0 <= hits <= runs:
        raise ValueError(f"Expected a number of hits from 0 to runs={runs} but got hits={hits} (type=int).")
    tail = (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if hits == 0 else _root(lambda p: _at_least(hits, runs, p) < tail)
    high = 1.0 if hits == runs else _root(lambda p: _at_least(hits + 1, runs, p) < 1.0 - tail)
    return Interval(hits, runs, low, high)


def _at_least(hits: int, runs: int, p: float) -> float:
    """The probability of `hits` or more in `runs`, each with probability `p` in (0, 1)."""
    yes, no = math.log(p), math.log1p(-p)
    log_of = math.lgamma  # of a factorial, at one more

    def exactly(k: int) -> float:
        return math.exp(log_of(runs + 1) - log_of(k + 1) - log_of(runs - k + 1) + k * yes + (runs - k) * no)

    return math.fsum(map(exactly, range(hits, runs + 1)))


def _root(below: Callable[[float], bool]) -> float:
    """Where a monotone condition on [0, 1] ends to hold."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if below(middle) else (low, middle)
    return low
