"""Claims: a check's comparisons as data. NumPy screens them on each case, chex asserts them over all cases together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Claim:
    """The claim that two values are equal, or differ by at most `bound`.

    Attributes:
        actual, desired: arrays of one shape, or names (types, shapes, paths).
        bound: the largest difference allowed, an array of their shape or a single number; None if both must have one
            dtype and equal elements, where NaN equals NaN.
    """

    actual: np.ndarray | tuple[str, ...]
    desired: np.ndarray | tuple[str, ...]
    bound: np.ndarray | float | None = None

    def holds(self) -> bool:
        """Whether NumPy finds it true. That takes a hundredth of the time of chex's assertion, which decides."""
        a, b = self.actual, self.desired
        if isinstance(a, tuple) or isinstance(b, tuple):
            return isinstance(a, tuple) and isinstance(b, tuple) and a == b
        if a.shape != b.shape or (self.bound is None and a.dtype != b.dtype):
            return False
        if a.dtype == b.dtype and a.tobytes() == b.tobytes():
            return True
        same = (a == b) | ((a != a) & (b != b))
        if self.bound is not None and not np.all(same):
            with np.errstate(all="ignore"):
                same |= np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= self.bound)
        return bool(np.all(same))


def near(actual: ArrayLike, desired: ArrayLike, bound: np.ndarray | float) -> Claim:
    """The claim that numbers differ by at most `bound`, computed in float64."""
    return Claim(np.asarray(actual, np.float64), np.asarray(desired, np.float64), bound)


def same_numbers(actual: ArrayLike, desired: ArrayLike) -> Claim:
    """The claim that numbers are equal, whatever their dtypes; a single desired number applies to all."""
    numbers, right = np.asarray(actual, np.float64), np.asarray(desired, np.float64)
    return Claim(numbers, right if right.ndim else np.broadcast_to(right, numbers.shape))


def same_bits(actual: np.ndarray, desired: np.ndarray) -> Claim:
    """The claim that two arrays are equal to the last bit, so that -0.0 is not 0.0."""
    return Claim(*(np.frombuffer(array.tobytes(), np.uint8) for array in (actual, desired)))


def another(actual: float, than: float) -> Claim:
    """The claim that two numbers differ."""
    return same_numbers(actual != than, True)


def at_most(actual: float, most: float) -> Claim:
    """The claim that a number is at most another."""
    return same_numbers(max(actual - most, 0), 0)
