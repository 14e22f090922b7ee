"""Whole numbers from a range: several ways to choose one, and one simple way to shrink all of them.

Every number costs the same draws: which way, then a rank. The ways are monotone functions of that rank, and the first
of them is the plain one, so the shrinker may swap any way for the plain one without touching what is drawn afterwards.
A `one_of` would change the number of draws instead, and Hypothesis then has to guess the rest of the case anew.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

Way = Callable[[int], int]
"""From a rank, 0 for the simplest up to `len(numbers) - 1`, to a member of `numbers`."""

# Since HypothesisWorks/hypothesis#4728 Hypothesis draws evenly up to 256 and by magnitude beyond; see `quantile`.
# Before, it drew evenly up to 2**24: all stays legal there, with more that is large.
_EVEN = 256
_SHORT = 2**12
_LONGEST_RANGE = 2**63
_INDEX_BITS = 80


def plain(numbers: range) -> Way:
    """All of `numbers`, the nearest to 0 first."""
    low, high = numbers[0], numbers[-1]
    if low >= 0:
        return lambda rank: low + rank
    if high <= 0:
        return lambda rank: high - rank
    return lambda rank: _outward(rank, low=low, high=high)


def _outward(rank: int, *, low: int, high: int) -> int:
    """0, 1, -1, 2, -2, ... and, where one side ends, on along the other."""
    near = min(-low, high)
    if rank <= 2 * near:
        return (rank + 1) // 2 if rank % 2 else -(rank // 2)
    return rank - near if high > near else near - rank


def among(numbers: range, chosen: Iterable[int]) -> Way:
    """Evenly among the `chosen` that lie in `numbers`; evenly among all of them if none does."""
    legal: Sequence[int] = sorted(
        {number for number in chosen if number in numbers},
        key=lambda number: (abs(number), -number),
    )
    if not legal:
        return even(numbers)
    size = _size(numbers)
    return lambda rank: legal[int(quantile(rank, size) * len(legal))]


def at_ends(numbers: range) -> Way:
    """The first number and the last one, about alike often."""
    size = _size(numbers)
    # Seen on Hypothesis 6.170: of a long range, `quantile` takes six in ten draws for less than 0.3.
    bound = 0.5 if size <= _SHORT else 0.3
    return lambda rank: numbers[-1] if quantile(rank, size) >= bound else numbers[0]


def even(numbers: range) -> Way:
    """All numbers alike, so mostly those with many digits."""
    at, size = plain(numbers), _size(numbers)
    return lambda rank: at(min(size - 1, int(quantile(rank, size) * size)))


def logarithmic(numbers: range) -> Way:
    """All magnitudes alike: as many numbers with three digits as with nine."""
    at, size = plain(numbers), _size(numbers)
    return lambda rank: at(min(size, int(size ** quantile(rank + 1, size + 1))) - 1)


def quantile(rank: int, size: int) -> float:
    """Where `rank` stands among the draws of 0 to `size - 1`: in [0, 1), monotone, and about even."""
    return _draws_below(rank) / _draws_below(size)


def _draws_below(rank: int) -> float:
    return float(rank) if rank <= _EVEN else _EVEN * (1.0 + math.log(rank / _EVEN))


def powers_of_two(*, bits: int) -> frozenset[int]:
    """Powers of two up to `2**bits` and their neighbours, of both signs."""
    positive = {2**power + step for power in range(bits + 1) for step in (-1, 0, 1)}
    return frozenset(positive | {-number for number in positive})


def whole_numbers(numbers: range, *, ways: Sequence[Way], purpose: str) -> st.SearchStrategy[int]:
    """Members of `numbers`, each drawn in one of `ways`, which are alike in frequency; repeat one to favour it.

    Shrinks towards the first way at rank 0, so that way should be `plain`.
    """
    choice = indices(len(ways), purpose=f"way of {purpose}")
    ranks = indices(_size(numbers), purpose=purpose)

    # The purpose is a default argument because Hypothesis labels a composite strategy by code and defaults.
    def number(draw: st.DrawFn, purpose: str = purpose) -> int:
        return ways[index(draw(choice))](index(draw(ranks)))

    number.__name__ = purpose  # for its repr
    return st.composite(number)()


@functools.lru_cache(maxsize=1024)
def indices(size: int, *, purpose: str) -> st.SearchStrategy[int]:
    """Ints that `index` turns into 0 to `size - 1`, under a Hypothesis label that no other purpose has.

    After each example Hypothesis runs up to five more in which it copies draws between strategies of one label. All
    `st.integers` have one, as have all `st.floats` and all that is mapped: six of seven arrays were then near copies of
    another, of the same length and profile, and what did not fit became 0. A `sampled_from` is labelled by its range.
    """
    start = zlib.crc32(purpose.encode()) << _INDEX_BITS
    if size < _LONGEST_RANGE:
        return st.sampled_from(range(start, start + size))
    return st.integers(start, start + size - 1)


def index(drawn: int) -> int:
    """The index that a draw from `indices` stands for."""
    return drawn & ((1 << _INDEX_BITS) - 1)


def _size(numbers: range) -> int:
    # `len` of a range fails from `_LONGEST_RANGE` up.
    return numbers[-1] - numbers[0] + 1
