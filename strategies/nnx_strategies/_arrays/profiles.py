"""Profiles: the pattern of a whole array, made from a few drawn elements.

Every profile is a function of the same drawn elements, repeated to the full length, and the first one leaves them as
they are. So the shrinker can replace any profile by the first, keep the elements, and end with a readable array.

Arrangements only move elements and suit any domain; reshapings compute with them and suit the default domain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._whole_numbers import quantile
from .domains import Domain

Array = np.ndarray[Any, Any]
Profile = Callable[[Array, Domain], Array]

# Drawing every element of a long array would fill Hypothesis's choice buffer (8 KiB) and take milliseconds. 13 is no
# power of two, so that the period does not hide faults of code that works in blocks of 8 or 16.
DRAWN = 13

_GOLDEN = 0.6180339887498949


def plain(v: Array, domain: Domain) -> Array:
    """The elements once, then the first one repeated, so that an odd element of a long array stands out."""
    return np.where(np.arange(len(v)) < DRAWN, v, v[0])


def periodic(v: Array, domain: Domain) -> Array:
    """The elements over and over."""
    return v


def repeated(v: Array, domain: Domain) -> Array:
    """One value throughout."""
    return np.repeat(v[:1], len(v))


def ties(v: Array, domain: Domain) -> Array:
    """Two values, in runs of two and one."""
    return v[np.arange(len(v)) % 3 // 2 % len(v)]


def ascending(v: Array, domain: Domain) -> Array:
    """From the smallest to the largest."""
    return np.sort(v)


def descending(v: Array, domain: Domain) -> Array:
    """From the largest to the smallest."""
    return np.sort(v)[::-1]


def last_alone(v: Array, domain: Domain) -> Array:
    """One value throughout, and another at the end, where code that works in blocks or pairs may drop it."""
    return np.asarray(np.where(np.arange(len(v)) < len(v) - 1, v[0], v[1 % len(v)]))


def zeros_and_ones(v: Array, domain: Domain) -> Array:
    """Ones where an element is positive."""
    return np.where(v > 0, 1.0, 0.0)


def small_integers(v: Array, domain: Domain) -> Array:
    """Whole numbers from -9 to 9, or 0 to 9 if unsigned."""
    return np.rint(_even(v, domain) * 9.0)


def fractional(v: Array, domain: Domain) -> Array:
    """The elements times numbers from 0.5 to 1.5: all magnitudes, with full significands."""
    return v * (0.5 + _spread(v))


def alternating(v: Array, domain: Domain) -> Array:
    """A change of sign at every step."""
    return np.abs(v) * np.where(np.arange(len(v)) % 2, -1.0, 1.0)


def positive(v: Array, domain: Domain) -> Array:
    """No negative element, so that nothing cancels."""
    return np.abs(v)


def negative(v: Array, domain: Domain) -> Array:
    """No positive element; `0.0 -` rather than `-`, which would make -0.0 out of 0.0."""
    return 0.0 - np.abs(v)


def cancelling(v: Array, domain: Domain) -> Array:
    """Pairs of v and -v around the middle: the exact sum is 0."""
    half = len(v) // 2
    middle = np.zeros(len(v) % 2)
    return np.concatenate([v[:half], middle, 0.0 - v[:half][::-1]])


def nearly_cancelling(v: Array, domain: Domain) -> Array:
    """As `cancelling`, plus a remainder far smaller than the largest elements."""
    x = cancelling(large(v, domain), domain)
    x[len(v) // 2] += np.sign(v[-1]) * domain.bound * 2.0**-20
    return x


def ordinary(v: Array, domain: Domain) -> Array:
    """Magnitudes around 1, all different, as in a layer's activations."""
    return _even(v, domain) * (0.5 + 3.0 * _spread(v))


def distinct(v: Array, domain: Domain) -> Array:
    """0, -1, 2, -3, ..., each moved by less than a half: all different, if the dtype can distinguish them."""
    n = np.arange(len(v)) * min(1.0, float(np.abs(v[0])))
    return np.where(np.arange(len(v)) % 2, -n, n) + _even(v, domain) * 0.375


def large(v: Array, domain: Domain) -> Array:
    """Elements up to the bound; about half are equal to it."""
    return np.clip(_even(v, domain) * 2.0, -1.0, 1.0) * domain.bound


def tiny(v: Array, domain: Domain) -> Array:
    """Normal numbers around 1e-30, or close to the smallest one of the dtype."""
    return _even(v, domain) * max(1e-30, domain.normal * 1024.0)


def mixed(v: Array, domain: Domain) -> Array:
    """Large elements next to ones a billion times smaller."""
    return np.where(np.arange(len(v)) % 2, _even(v, domain) * 1e-3, large(v, domain))


def _even(v: Array, domain: Domain) -> Array:
    """The elements, which Hypothesis draws by magnitude, mapped evenly to [-1, 1]; 0 stays 0."""
    size = int(domain.bound) + 1
    pattern = [quantile(int(magnitude), size) for magnitude in np.abs(v[:DRAWN])]
    return np.asarray(np.sign(v) * np.resize(pattern, len(v)))


def _spread(v: Array) -> Array:
    """A different number in [0, 1) for each position; not random, so that the same draws give the same array."""
    return np.arange(len(v)) * _GOLDEN % 1.0


# `last_alone` twice, because it differs from other profiles only on long arrays.
ARRANGEMENTS: tuple[Profile, ...] = (plain, periodic, repeated, ties, ascending, descending, last_alone, last_alone)

# The shrinker goes down this list, so the profiles with fractions are next to each other, the plainest first.
RESHAPINGS: tuple[Profile, ...] = (
    *(zeros_and_ones, small_integers, alternating, positive, negative, cancelling),
    *(fractional, nearly_cancelling, ordinary, distinct),
    *(large, tiny, mixed),
)
