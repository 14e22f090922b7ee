"""Corners: all parts of an input at an end of their range at once."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ._validation import misuse, strategy
from ._whole_numbers import index, indices

# One draw in nine. Two ends of which each comes on one case in twenty come together on one in 400, and code that is
# wrong only there would be missed by two runs of 200 cases out of three.
_OFTEN = 9


def corners(*parts: tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of independent parts, of which one in nine has all its parts from their ends.

    In a test::

        @given(corners((call_counts(), call_counts(ends=True)), (seeds(), seeds(ends=True))))
        def test_counts_its_calls(drawn):
            n_calls, seed = drawn

    Args:
        *parts: for each part, what it is drawn from, and what it is drawn from in a corner. Where the two draw alike,
            as those with `ends` do, a corner that fails shrinks on to what is no corner.

    Returns:
        A strategy for tuples with one member for each part, in their order. Shrinks away from the corners.

    Raises:
        InvalidArgument: if a part is no pair of strategies.
    """
    for at, part in enumerate(parts):
        if not isinstance(part, tuple) or len(part) != 2:
            fix = "Pass (seeds(), seeds(ends=True))."
            raise misuse(expected="a pair of strategies", name=f"parts[{at}]", value=part, fix=fix)
        for one in part:
            strategy(f"parts[{at}]", one, example="(seeds(), seeds(ends=True))")
    choice = indices(_OFTEN, purpose="corner")

    @st.composite
    def tuples(draw: st.DrawFn) -> tuple[Any, ...]:
        corner = index(draw(choice)) == _OFTEN - 1
        return tuple(draw(part[corner]) for part in parts)

    return tuples()
