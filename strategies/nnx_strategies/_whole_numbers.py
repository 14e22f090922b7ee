"""Whole numbers from a range: several ways to choose one, all of which shrink alike.

Every number costs the same two draws: the way, then a rank. All ways are monotone functions of the rank, and the first
is the plain one, so the shrinker can replace any way by the plain one without changing later draws. With `one_of` the
number of draws would change, and Hypothesis would have to guess the rest of the case again.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

Way = Callable[[int], int]
"""Maps a rank, from 0 for the simplest to `len(numbers) - 1`, to a member of `numbers`."""

# Since HypothesisWorks/hypothesis#4728 Hypothesis draws evenly up to 256 and by magnitude beyond; see `quantile`.
# Older versions draw evenly up to 2**24: their numbers are valid, too, but more of them are large.
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
    """0, 1, -1, 2, -2, ...; after one side has ended, the rest of the other."""
    near = min(-low, high)
    if rank <= 2 * near:
        return (rank + 1) // 2 if rank % 2 else -(rank // 2)
    return rank - near if high > near else near - rank


def among(numbers: range, chosen: Iterable[int]) -> Way:
    """Evenly among the `chosen` members of `numbers`; evenly among all of `numbers` if there are none."""
    legal: Sequence[int] = sorted(
        {number for number in chosen if number in numbers},
        key=lambda number: (abs(number), -number),
    )
    if not legal:
        return even(numbers)
    size = _size(numbers)
    return lambda rank: legal[int(quantile(rank, size) * len(legal))]


def at_ends(numbers: range) -> Way:
    """The first number and the last one, about equally often."""
    size = _size(numbers)
    # Measured on Hypothesis 6.170: in a long range, six out of ten draws have a `quantile` below 0.3.
    bound = 0.5 if size <= _SHORT else 0.3
    return lambda rank: numbers[-1] if quantile(rank, size) >= bound else numbers[0]


def even(numbers: range) -> Way:
    """All numbers equally often, so mostly those with many digits."""
    number, size = plain(numbers), _size(numbers)
    return lambda rank: number(min(size - 1, int(quantile(rank, size) * size)))


def logarithmic(numbers: range) -> Way:
    """All magnitudes equally often: as many numbers with three digits as with nine."""
    number, size = plain(numbers), _size(numbers)
    return lambda rank: number(min(size, int(size ** quantile(rank + 1, size + 1))) - 1)


def quantile(rank: int, size: int) -> float:
    """The quantile of `rank` among Hypothesis's draws of 0 to `size - 1`: in [0, 1), monotone, about evenly spread."""
    return _draws_below(rank) / _draws_below(size)


def _draws_below(rank: int) -> float:
    return float(rank) if rank <= _EVEN else _EVEN * (1.0 + math.log(rank / _EVEN))


def powers_of_two(*, bits: int) -> frozenset[int]:
    """Powers of two up to `2**bits` and their neighbours, of both signs."""
    positive = {2**power + step for power in range(bits + 1) for step in (-1, 0, 1)}
    return frozenset(positive | {-number for number in positive})


def whole_numbers(numbers: range, *, ways: Sequence[Way], purpose: str) -> st.SearchStrategy[int]:
    """Members of `numbers`, each drawn in one of `ways`. All ways are equally frequent; repeat one to favour it.

    Shrinks towards rank 0 of the first way, which should therefore be `plain`.
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
    """Ints that `index` maps to 0 to `size - 1`, with a Hypothesis label for each purpose.

    After each example Hypothesis runs up to five more that copy draws between strategies of one label. All
    `st.integers` share a label, and so do all `st.floats` and all mapped strategies. With these, six of seven arrays
    were near copies of another, of the same length and profile, and draws that did not fit became 0. A `sampled_from`
    has a label for each range.
    """
    start = zlib.crc32(purpose.encode()) << _INDEX_BITS
    if size < _LONGEST_RANGE:
        return st.sampled_from(range(start, start + size))
    return st.integers(start, start + size - 1)


def index(drawn: int) -> int:
    """The index, from 0, in a draw from `indices`."""
    return drawn & ((1 << _INDEX_BITS) - 1)


def _size(numbers: range) -> int:
    # `len` of a range fails from `_LONGEST_RANGE` up.
    return numbers[-1] - numbers[0] + 1
