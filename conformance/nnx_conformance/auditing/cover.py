"""The smallest set of checks that still catches everything that is caught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Beyond so many steps of the exact search, the greedy answer stands.
STEPS = 50_000


@dataclass(frozen=True)
class Cover:
    """A set of checks that catches every mutant which any check catches.

    Attributes:
        checks: their ids, those that catch most first.
        exact: whether no smaller set does; else it was found greedily.
    """

    checks: tuple[str, ...]
    exact: bool


def cover(caught: Mapping[str, frozenset[str]]) -> Cover:
    """The smallest set of checks.

    Args:
        caught: the checks that catch each mutant; a mutant that nothing catches is left out of account.
    """
    needs = {frozenset(by) for by in caught.values() if by}
    needs = {by for by in needs if not any(other < by for other in needs)}  # who meets the harder need meets this one
    greedy = _greedy(needs)
    search = _Search(len(greedy))
    search.run(needs, ())
    found = search.best or greedy
    reach = {check: sum(check in by for by in caught.values()) for check in found}
    return Cover(tuple(sorted(found, key=lambda check: (-reach[check], check))), search.steps < STEPS)


def _greedy(needs: set[frozenset[str]]) -> tuple[str, ...]:
    chosen: list[str] = []
    left = set(needs)
    while left:
        every = sorted({check for by in left for check in by})
        best = max(every, key=lambda check: sum(check in by for by in left))
        chosen.append(best)
        left = {by for by in left if best not in by}
    return tuple(chosen)


class _Search:
    """Branches on the need that fewest checks meet, and gives up a branch that cannot beat the best."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.best: tuple[str, ...] | None = None
        self.steps = 0

    def run(self, needs: set[frozenset[str]], chosen: tuple[str, ...]) -> None:
        self.steps += 1
        if self.steps >= STEPS:
            return
        if not needs:
            self.best, self._limit = chosen, len(chosen)
            return
        if len(chosen) + 1 >= self._limit:
            return
        hardest = min(needs, key=lambda by: (len(by), sorted(by)))
        for check in sorted(hardest, key=lambda check: -sum(check in by for by in needs)):
            self.run({by for by in needs if check not in by}, (*chosen, check))
