"""Hypothesis as the kit uses it: one profile, a search that never stops at a failure, and a shrink for each check.

Two passes instead of Hypothesis's own handling of failures, which stops drawing soon after the first: `draw` lets
every case pass, so that all checks are judged on all cases; `shrink` draws the same cases again (same seed, so the same
order), lets all pass up to the one that failed, and Hypothesis shrinks from there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hypothesis import Phase, given, seed, settings, target
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import Flaky, HypothesisException
from hypothesis.strategies import SearchStrategy

from nnx_conformance.contracts.profile import profile, the_same_everywhere
from nnx_conformance.core.case import Case

SHRINK_EVALUATIONS = 400
BATCH = 200


class _Violated(Exception):
    """Tells Hypothesis to shrink a case."""


def draw(cases: SearchStrategy[Case], count: int, seed_value: int, visit: Callable[[Case], None]) -> None:
    """Pass up to `count` cases to `visit`; its exceptions end the drawing and are raised here, past Hypothesis.

    In batches, each an engine of its own: Hypothesis remembers all that one engine drew.
    """
    for number, size in enumerate(_batches(count)):
        _draw_batch(cases, size, seed_value + number, visit)


def _batches(count: int) -> list[int]:
    full, rest = divmod(count, BATCH)
    return [BATCH] * full + ([rest] if rest else [])


def _draw_batch(cases: SearchStrategy[Case], count: int, seed_value: int, visit: Callable[[Case], None]) -> None:
    raised: list[BaseException] = []

    @profile(count, Phase.generate)
    @seed(seed_value)
    @given(cases)
    def search(case: Case) -> None:
        if not raised:
            try:
                visit(case)
            except BaseException as error:  # noqa: BLE001 - Hypothesis would take it for a failing test
                raised.append(error)

    with the_same_everywhere():
        search()
    if raised:
        raise raised[0]


class Shrunk(NamedTuple):
    """The smallest case; `settled` if none smaller was left to try when the search ended."""

    case: Case
    settled: bool


def shrink(
    cases: SearchStrategy[Case],
    count: int,
    seed_value: int,
    start: Case,
    violates: Callable[[Case], bool],
    seconds: float,
) -> Shrunk | None:
    """The smallest case that `violates`, starting from a drawn one; None if it is not drawn, or no longer does.

    Each case is tried once, so a candidate that answers differently each time cannot confuse the shrinker.
    """
    for number, size in enumerate(_batches(count)):
        search = _Shrink(start.key, violates, time.monotonic() + seconds)
        _shrink_batch(cases, size, seed_value + number, search)
        if search.reached:
            return Shrunk(search.smallest, not search.cut) if search.smallest else None
    return None


def _shrink_batch(cases: SearchStrategy[Case], count: int, seed_value: int, search: _Shrink) -> None:
    @profile(count, Phase.generate, Phase.shrink)
    @seed(seed_value)
    @given(cases)
    def test(case: Case) -> None:
        if search(case):
            raise _Violated

    with contextlib.suppress(_Violated, Flaky, HypothesisException), the_same_everywhere():
        test()


class TimeUp(BaseException):
    """Ends a search; no Exception, so Hypothesis lets it through."""


def search(
    cases: SearchStrategy[Case],
    seed_value: int,
    folder: Path,
    visit: Callable[[Case], Mapping[str, float] | None],
) -> Case | None:
    """One round of a search that goes on from earlier ones; `TimeUp` of `visit` ends it.

    Args:
        folder: of Hypothesis's database: cases that were to be shrunk, and those that came nearest to what is aimed at.
        visit: gives the scores to aim at, the higher the better, or None for a case that is to be shrunk. From then on
            the same is asked of smaller ones, of none twice, and with the smallest the round is over.

    Returns:
        The smallest case for which `visit` gave None; None if it never did.
    """
    phases = (Phase.reuse, Phase.generate, Phase.target, Phase.shrink)
    known: dict[str, Mapping[str, float] | None] = {}
    smallest: Case | None = None

    @settings(profile(BATCH, *phases), database=DirectoryBasedExampleDatabase(folder))
    @seed(seed_value)
    @given(cases)
    def explore(case: Case) -> None:
        nonlocal smallest
        if case.key not in known:
            known[case.key] = visit(case)
        if (scores := known[case.key]) is None:
            smallest = case  # Hypothesis ends with the one on which it settles
            raise _Violated
        for label, score in scores.items():
            target(score, label=label)

    with contextlib.suppress(_Violated, Flaky, HypothesisException, TimeUp), the_same_everywhere():
        explore()
    return smallest


class _Shrink:
    """The state of a shrink: the cases tried, the one on which Hypothesis settled, and whether time ran out."""

    def __init__(self, start: str, violates: Callable[[Case], bool], deadline: float) -> None:
        self._start = start
        self.reached = False
        self._violates = violates
        self._deadline = deadline
        self._tried: dict[str, bool] = {}
        self.smallest: Case | None = None
        self.cut = False

    def __call__(self, case: Case) -> bool:
        key = case.key
        self.reached = self.reached or key == self._start
        if not self.reached or (self._tried and self.smallest is None):
            return False  # not there yet, or the case no longer fails and there is nothing to shrink
        if key not in self._tried:
            if len(self._tried) >= SHRINK_EVALUATIONS or time.monotonic() > self._deadline:
                self.cut = True
                return False
            self._tried[key] = self._violates(case)
        if self._tried[key]:
            self.smallest = case
        return self._tried[key]
