"""Lengths of arrays, few of them different, because each costs a compilation."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from .._validation import bounds, whole
from .._whole_numbers import among, at_ends, plain, whole_numbers

_POOL_SIZE = 16
_DEFAULT_WIDTH = 1023

# Out of 50 lengths, one is any length, four are an end of the range, and the others come from the pool. So 200 draws
# have about 20 different lengths, at 25 to 40 ms of XLA compilation each.
_ANYWHERE, _ENDS, _POOL = 1, 4, 45


def lengths(
    *, min_size: int = 1, max_size: int | None = None, pool_seed: int = 0, ends: bool = False
) -> st.SearchStrategy[int]:
    """Lengths of arrays, few of them different.

    Each new length costs one XLA compilation per operation of the code under test. So most lengths come from a pool
    of 16: tiny ones, powers of two with their neighbours, a round number, an odd one, and two around 1,000. The ends
    of the range are frequent, and a few lengths are any in the range. Shrinks to `min_size`.

    Args:
        min_size: shortest length; >= 0.
        max_size: longest length, included; `min_size + 1023` if None.
        pool_seed: selects the pool: the same seed repeats a run, another one tries other lengths.
        ends: whether to draw half of the lengths from the two ends of the range, with the same draws; for `corners`.

    Returns:
        A strategy for ints `n` with `min_size <= n <= max_size`.

    Raises:
        InvalidArgument: if an argument is no int, `min_size < 0`, or `max_size < min_size`.
    """
    if max_size is None:
        max_size = whole("min_size", min_size) + _DEFAULT_WIDTH
    sizes = bounds(low=min_size, high=max_size, names=("min_size", "max_size"), least=0)
    pool = _pool(sizes, random.Random(whole("pool_seed", pool_seed)))
    ends_of, pooled = at_ends(sizes), among(sizes, pool)
    ways = [plain(sizes)] * _ANYWHERE + [ends_of] * _ENDS + [pooled] * _POOL
    if ends:
        ways[: len(ways) // 2] = [ends_of] * (len(ways) // 2)
    return whole_numbers(sizes, ways=ways, purpose="lengths")


def _pool(sizes: range, source: random.Random) -> frozenset[int]:
    """Sixteen of the `sizes`, or all if there are fewer."""
    if len(sizes) <= _POOL_SIZE:
        return frozenset(sizes)
    pool = {size for size in (*sizes[:2], *_strata(source)) if size in sizes}
    # If the range holds few of the strata, the pool is filled evenly over its magnitudes.
    while len(pool) < _POOL_SIZE:
        pool.add(sizes[int(len(sizes) ** source.random()) - 1])
    return frozenset(pool)


def _strata(source: random.Random) -> list[int]:
    """One choice per kind of length, because a purely random pool would lack several kinds."""
    narrow, wide = source.choice((8, 16)), source.choice((128, 256))
    middle = source.choice((32, 64))
    return [
        *(1, 2, 3),
        *(narrow - 1, narrow, narrow + 1),
        *(middle, middle + source.choice((-1, 1))),
        *(wide - 1, wide, wide + 1),
        source.choice((10, 12, 20, 24, 30, 60, 100)),
        source.choice((5, 11, 13, 21, 45, 49, 77)),
        2 * source.randrange(150, 400) + 1,
        2 * source.randrange(450, 500),
        2 * source.randrange(450, 500) + 1,
    ]
