"""Corners: how often all parts lie at an end at once, what they shrink to, and what misuse says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from nnx_strategies import call_counts, corners, lengths, seeds

QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PAIRS = corners((seeds(), seeds(ends=True)), (call_counts(), call_counts(ends=True)))


def sample(strategy: st.SearchStrategy[Any], run: int) -> set[Any]:
    drawn = set()

    @seed(run)
    @settings(QUICK, max_examples=200, phases=[Phase.generate])
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.add(value)

    collect()
    return drawn


@pytest.mark.parametrize("run", range(5))
def test_200_draws_meet_every_corner(run: int) -> None:
    found = sample(PAIRS, run)

    assert {(0.0, 1.0), (0.0, 64.0), (2.0**32 - 1, 1.0), (2.0**32 - 1, 64.0)} <= found


def test_independent_draws_would_miss_one() -> None:
    alone = [sample(st.tuples(seeds(), call_counts()), run) for run in range(5)]

    assert not all((2.0**32 - 1, 64.0) in found for found in alone)


def test_most_draws_are_no_corners() -> None:
    ends = {0.0, 1.0, 64.0, 2.0**32 - 1}

    assert len([pair for pair in sample(PAIRS, 0) if not set(pair) <= ends]) > 100


def test_ends_draws_nothing_else() -> None:
    assert sample(st.tuples(seeds(ends=True), call_counts(min_value=0, max_value=9, ends=True)), 0) == {
        (seed_, count) for seed_ in (0.0, 2.0**32 - 1) for count in (0.0, 9.0)
    }
    assert {1, 1024} < sample(lengths(ends=True), 0)


@pytest.mark.parametrize("corner", [(0.0, 64.0), (2.0**32 - 1, 64.0)])
def test_a_corner_that_fails_shrinks_on_to_what_is_none(corner: tuple[float, float]) -> None:
    at_corner = []

    def fails(pair: tuple[float, float]) -> bool:
        at_corner.append(pair)
        return pair[1] >= 20 if corner in at_corner else pair == corner

    assert find(PAIRS, fails, settings=settings(QUICK, max_examples=2000)) == (0.0, 20.0)


def test_a_part_that_is_no_pair_of_strategies_is_misuse() -> None:
    with pytest.raises(InvalidArgument) as caught:
        corners(seeds())  # type: ignore[arg-type]
    assert str(caught.value).startswith("Expected a pair of strategies but got parts[0]=")
    assert str(caught.value).endswith("Pass (seeds(), seeds(ends=True)).")

    with pytest.raises(InvalidArgument) as caught:
        corners((seeds(), 64.0))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "Expected a Hypothesis strategy but got parts[0]=64.0 (type=float). "
        "Pass a strategy, such as parts[0]=(seeds(), seeds(ends=True))."
    )
