"""Corners: how often all parts lie at an end at once, what they shrink to, and what misuse says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from nnx_strategies import call_counts, corners, seeds

QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PAIRS = corners((seeds(), st.sampled_from((0.0, 2.0**32 - 1))), (call_counts(), st.sampled_from((1.0, 64.0))))


def sample(strategy: st.SearchStrategy[tuple[float, float]], run: int) -> set[tuple[float, float]]:
    drawn = set()

    @seed(run)
    @settings(QUICK, max_examples=200, phases=[Phase.generate])
    @given(strategy)
    def collect(value: tuple[float, float]) -> None:
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


def test_they_shrink_away_from_the_corners() -> None:
    found = find(PAIRS, lambda pair: pair[1] >= 20, settings=settings(QUICK, max_examples=2000))

    assert found == (0.0, 20.0)


def test_a_part_that_is_no_pair_of_strategies_is_misuse() -> None:
    with pytest.raises(InvalidArgument) as caught:
        corners(seeds())  # type: ignore[arg-type]
    assert str(caught.value).startswith("Expected a pair of strategies but got parts[0]=")
    assert str(caught.value).endswith("Pass (strategy, strategy_of_its_ends).")

    with pytest.raises(InvalidArgument) as caught:
        corners((seeds(), 64.0))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "Expected a Hypothesis strategy but got parts[0]=64.0 (type=float). "
        "Pass a strategy, such as parts[0]=(seeds(), st.just(0.0))."
    )
