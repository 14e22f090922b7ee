"""What a check compares, NumPy screens: chex's assertions say the same."""

from __future__ import annotations

import chex
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnx_conformance.core.claim import Claim, near

FLOATS = st.floats() | st.sampled_from((0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1.0, 1.5))
BOUNDS = st.floats(min_value=0.0, allow_nan=False)
DTYPES = st.sampled_from([np.dtype(name) for name in ("float32", "float64", "int32")])


def arrays() -> st.SearchStrategy[np.ndarray]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=2)
    return hnp.arrays(DTYPES, shapes, elements={"min_value": 0, "max_value": 1})


def passes(assertion: object, *values: object, **options: object) -> bool:
    try:
        with np.errstate(all="ignore"):  # NumPy warns where 0 is multiplied by an infinite bound
            assertion(*values, **options)  # type: ignore[operator]
    except AssertionError:
        return False
    return True


@given(arrays(), arrays())
@example(np.asarray([np.nan, -0.0]), np.asarray([np.nan, 0.0]))
@example(np.asarray(1.0, np.float32), np.asarray(1.0))
@example(np.zeros((2, 0)), np.zeros((0, 2)))
def test_equal_is_what_chex_asserts(a: np.ndarray, b: np.ndarray) -> None:
    same_shape = passes(chex.assert_equal_shape, [a, b])
    same = same_shape and passes(chex.assert_trees_all_equal_dtypes, a, b) and passes(chex.assert_trees_all_equal, a, b)
    assert Claim(a, b).holds() == same
    assert Claim(a, a.copy()).holds()


@given(FLOATS, FLOATS, BOUNDS)
@example(float("inf"), 0.0, float("inf"))
@example(0.0, float("inf"), float("inf"))
@example(1.5, 1.0, 0.5)
@example(float("nan"), float("nan"), 0.0)
def test_close_is_what_chex_asserts(a: float, b: float, bound: float) -> None:
    wanted = passes(chex.assert_trees_all_close, np.float64(a), np.float64(b), rtol=0.0, atol=bound)
    assert near(a, b, bound).holds() == wanted
