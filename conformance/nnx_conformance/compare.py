"""chex assertions as values: a check asks whether NumPy data agree, and goes on.

Where an assertion of chex fails, it words what differs, which nobody reads here and which takes a hundred times as long
as seeing that something does. So what is asked on every case is asked of NumPy, and the tests hold that chex agrees.
"""

from __future__ import annotations

import math

import chex
import numpy as np


def equal(observed: np.ndarray | float, expected: np.ndarray | float) -> bool:
    """Whether two arrays have the same shape, dtype and values; NaN equals NaN."""
    a, b = np.asarray(observed), np.asarray(expected)
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    return a.tobytes() == b.tobytes() or bool(np.all((a == b) | ((a != a) & (b != b))))


def close(observed: float, expected: float, bound: float) -> bool:
    """Whether two numbers are at most `bound` apart; NaN is close to NaN, an infinity to itself."""
    if observed == expected or (math.isnan(observed) and math.isnan(expected)):
        return True
    return math.isfinite(observed) and math.isfinite(expected) and abs(observed - expected) <= bound


def has_shape(value: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether an array has exactly this shape."""
    try:
        chex.assert_shape(value, shape)
    except AssertionError:
        return False
    return True
