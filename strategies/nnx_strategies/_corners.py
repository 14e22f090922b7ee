"""Corners: all parts of an input at an end of their range at once."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ._validation import misuse, strategy
from ._whole_numbers import index, indices

# One draw in nine is a corner. If each of two parts is at an end in one case out of twenty, both are in one out of 400,
# and two out of three runs of 200 cases would miss code that is wrong only there.
_OFTEN = 9


def corners(*parts: tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of independent parts; one tuple in nine has all its parts at their ends.

    In a test::

        @given(corners((call_counts(), call_counts(ends=True)), (seeds(), seeds(ends=True))))
        def test_counts_its_calls(drawn):
            n_calls, seed = drawn

    Args:
        *parts: for each part its strategy, and its strategy in a corner. If both make the same draws, as strategies
            with `ends` do, a failing corner can shrink to an input that is no corner.

    Returns:
        A strategy for tuples with one member for each part, in their order. Shrinks away from the corners.

    Raises:
        InvalidArgument: if a part is no pair of strategies.
    """
    for position, part in enumerate(parts):
        if not isinstance(part, tuple) or len(part) != 2:
            fix = "Pass (seeds(), seeds(ends=True))."
            raise misuse(expected="a pair of strategies", name=f"parts[{position}]", value=part, fix=fix)
        for member in part:
            strategy(f"parts[{position}]", member, example="(seeds(), seeds(ends=True))")
    choice = indices(_OFTEN, purpose="corner")

    @st.composite
    def tuples(draw: st.DrawFn) -> tuple[Any, ...]:
        corner = index(draw(choice)) == _OFTEN - 1
        return tuple(draw(part[corner]) for part in parts)

    return tuples()
