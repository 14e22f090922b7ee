"""What a check compares, as data: NumPy screens it on each case, and chex asserts it over all cases together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Claim:
    """That two things are the same, or as near as the bound says.

    Attributes:
        actual, desired: arrays of one shape, or names (types, shapes, paths).
        bound: how far apart the numbers of two arrays may be, of their shape or a single number; None for equal arrays
            of one dtype, in which NaN equals NaN.
    """

    actual: np.ndarray | tuple[str, ...]
    desired: np.ndarray | tuple[str, ...]
    bound: np.ndarray | float | None = None

    def holds(self) -> bool:
        """Whether it is so, by NumPy: that takes a hundredth of the time of an assertion, which has the last word."""
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
    """The claim that numbers are at most `bound` from others, in float64."""
    return Claim(np.asarray(actual, np.float64), np.asarray(desired, np.float64), bound)


def same_numbers(actual: ArrayLike, desired: ArrayLike) -> Claim:
    """The claim that numbers are equal, whatever their dtypes; a desired one that is single is that of all."""
    numbers, wanted = np.asarray(actual, np.float64), np.asarray(desired, np.float64)
    return Claim(numbers, wanted if wanted.ndim else np.broadcast_to(wanted, numbers.shape))


def same_bits(actual: np.ndarray, desired: np.ndarray) -> Claim:
    """The claim that two arrays hold the same to the last bit: -0.0 is not 0.0 then."""
    bits, wanted = (np.frombuffer(array.tobytes(), np.uint8) for array in (actual, desired))
    return Claim(bits, wanted)


def another(actual: float, than: float) -> Claim:
    """The claim that a number is another one than this."""
    return same_numbers(actual != than, True)


def at_most(actual: float, most: float) -> Claim:
    """The claim that a number exceeds another one by nothing."""
    return same_numbers(max(actual - most, 0), 0)
