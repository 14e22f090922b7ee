"""chex assertions as values: a check asks whether NumPy data agree, and goes on."""

from __future__ import annotations

import chex
import numpy as np


def equal(observed: np.ndarray | float, expected: np.ndarray | float) -> bool:
    """Whether two arrays have the same shape, dtype and values; NaN equals NaN."""
    a, b = np.asarray(observed), np.asarray(expected)
    # Most are the same bit for bit; seeing that costs a twentieth of an assertion.
    if (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes():
        return True
    try:
        chex.assert_equal_shape([a, b])
        chex.assert_trees_all_equal_dtypes(a, b)
        chex.assert_trees_all_equal(a, b)
    except AssertionError:
        return False
    return True


def close(observed: float, expected: float, bound: float) -> bool:
    """Whether two numbers are at most `bound` apart; NaN is close to NaN, an infinity to itself."""
    if observed == expected:
        return True
    try:
        chex.assert_trees_all_close(np.float64(observed), np.float64(expected), rtol=0.0, atol=bound)
    except AssertionError:
        return False
    return True


def has_shape(value: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether an array has exactly this shape."""
    try:
        chex.assert_shape(value, shape)
    except AssertionError:
        return False
    return True
