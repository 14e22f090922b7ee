"""The exact confidence interval of a binomial proportion."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A probability estimated from repeated runs, with its 95 % confidence bounds.

    Attributes:
        hits, runs: the number of hits and of runs.
        low, high: the exact bounds of Clopper and Pearson (1934).
    """

    hits: int
    runs: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The proportion of hits; 0 without runs."""
        return self.hits / self.runs if self.runs else 0.0

    def __str__(self) -> str:
        return f"{self.share:.2f} [{self.low:.2f}, {self.high:.2f}]"


def interval(hits: int, runs: int) -> Interval:
    """The interval of `hits` in `runs`; [0, 1] without runs.

    Raises:
        ValueError: if `hits` is outside [0, `runs`].
    """
    if not 0 <= hits <= runs:
        raise ValueError(f"Expected a number of hits from 0 to runs={runs} but got hits={hits} (type=int).")
    if not runs:
        return Interval(0, 0, 0.0, 1.0)
    bounds = binomtest(hits, runs).proportion_ci(CONFIDENCE, method="exact")
    return Interval(hits, runs, float(bounds.low), float(bounds.high))
