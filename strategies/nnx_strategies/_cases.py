"""Cases: the inputs of a function of a seed, an array and a call count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from . import _scalars
from ._arrays import vectors as _vectors
from ._validation import strategy

if TYPE_CHECKING:
    import jax

    from ._scalars import Scalar


class Case(NamedTuple):
    """One input, in the order of the arguments: `f(*case)`.

    Attributes:
        seed: a whole number, as a float by default.
        x: an array of shape `[n]`, float32 by default.
        n_calls: a whole number, as a float by default.
    """

    seed: Scalar
    x: jax.Array
    n_calls: Scalar


def cases(
    *,
    seeds: st.SearchStrategy[Any] | None = None,
    vectors: st.SearchStrategy[Any] | None = None,
    call_counts: st.SearchStrategy[Any] | None = None,
) -> st.SearchStrategy[Case]:
    """Inputs for a function of a seed, an array and a call count.

    In a test::

        @given(cases())
        def test_counts_its_calls(case):
            assert f(*case)[0] == case.n_calls

    Args:
        seeds: draws `Case.seed`; `seeds()` if None.
        vectors: draws `Case.x`; `vectors()` if None.
        call_counts: draws `Case.n_calls`; `call_counts()` if None.

    Returns:
        A strategy for `Case`. Shrinks every part as its own strategy does.

    Raises:
        InvalidArgument: if an argument is no strategy.
    """
    seeds = _scalars.seeds() if seeds is None else seeds
    vectors = _vectors.vectors() if vectors is None else vectors
    call_counts = _scalars.call_counts() if call_counts is None else call_counts
    return _cases(
        strategy("seeds", seeds, example="seeds(max_value=9)"),
        strategy("vectors", vectors, example="vectors(max_size=9)"),
        strategy("call_counts", call_counts, example="call_counts(max_value=9)"),
    )


def _cases(
    seeds: st.SearchStrategy[Any],
    vectors: st.SearchStrategy[Any],
    call_counts: st.SearchStrategy[Any],
) -> st.SearchStrategy[Case]:
    # The array comes last, because its number of draws varies, and the shrinker can keep only the draws before them.
    @st.composite
    def case(draw: st.DrawFn) -> Case:
        seed, n_calls = draw(seeds), draw(call_counts)
        return Case(seed=seed, x=draw(vectors), n_calls=n_calls)

    return case()
