"""Shapes of arrays of any rank, few of them different, because each costs a compilation."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from .._validation import bounds, misuse, whole
from .._whole_numbers import among, plain, whole_numbers

Shape = tuple[int, ...]

_POOL_SIZE = 16
_DEFAULT_WIDTH = 15
# Out of 50 shapes, one is any shape and the others come from the pool; see `lengths`.
_ANYWHERE, _POOL = 1, 49


def shapes(
    *,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 1,
    max_side: int | None = None,
    max_size: int = 4096,
    pool_seed: int = 0,
) -> st.SearchStrategy[Shape]:
    """Shapes of arrays, few of them different.

    Each new shape costs one XLA compilation per operation of the code under test. So most shapes come from a pool of
    16: every rank, all sides equal, all sides different, sides of 1 among others, powers of two, odd ones and the
    longest. A few are any shape in the range. Shrinks to `min_dims` sides of `min_side`.

    Args:
        min_dims: lowest rank; >= 0.
        max_dims: highest rank, included.
        min_side: shortest side; >= 0.
        max_side: longest side, included; `min_side + 15` if None.
        max_size: most elements; larger shapes have their longest sides halved until they fit.
        pool_seed: selects the pool: the same seed repeats a run, another one tries other shapes.

    Returns:
        A strategy for tuples of ints, `min_dims` to `max_dims` of them.

    Raises:
        InvalidArgument: if an argument is no int or out of order, or the smallest shape has over `max_size` elements.
    """
    if max_side is None:
        max_side = whole("min_side", min_side) + _DEFAULT_WIDTH
    ranks = bounds(low=min_dims, high=max_dims, names=("min_dims", "max_dims"), least=0)
    sides = bounds(low=min_side, high=max_side, names=("min_side", "max_side"), least=0)
    least = sides[0] ** ranks[-1]
    if whole("max_size", max_size) < max(least, 1):
        fix = f"Pass max_size={max(least, 1)} or more, or a smaller max_dims or min_side."
        expected = f"an int >= {max(least, 1)}, the elements of max_dims={max_dims} sides of min_side={min_side},"
        raise misuse(expected=expected, name="max_size", value=max_size, fix=fix)
    numbers = range(sum(len(sides) ** rank for rank in ranks))
    pool = _pool(ranks, sides, random.Random(whole("pool_seed", pool_seed)))
    chosen = among(numbers, [_number(shape, ranks, sides) for shape in pool])
    ways = [plain(numbers)] * _ANYWHERE + [chosen] * _POOL
    drawn = whole_numbers(numbers, ways=ways, purpose="shapes")

    @st.composite
    def shape(draw: st.DrawFn) -> Shape:
        return _fitted(_shape(draw(drawn), ranks, sides), sides[0], max_size)

    return shape()


def _shape(number: int, ranks: range, sides: range) -> Shape:
    """The shape with this number, in the order of rank, then of the first side, and so on."""
    for rank in ranks:
        count = len(sides) ** rank
        if number < count:
            return tuple(sides[number // len(sides) ** place % len(sides)] for place in reversed(range(rank)))
        number -= count
    raise AssertionError("the number of a shape lies below the count of all")


def _number(shape: Shape, ranks: range, sides: range) -> int:
    number: int = sum(len(sides) ** rank for rank in ranks if rank < len(shape))
    within = 0
    for side in shape:
        within = within * len(sides) + side - sides[0]
    return number + within


def _fitted(shape: Shape, least: int, max_size: int) -> Shape:
    """`shape` with its longest sides halved until it has at most `max_size` elements."""
    fitted = list(shape)
    while math.prod(fitted) > max_size:
        longest = max(range(len(fitted)), key=fitted.__getitem__)
        fitted[longest] = max(least, fitted[longest] // 2)
    return tuple(fitted)


def _pool(ranks: range, sides: range, source: random.Random) -> list[Shape]:
    """Sixteen shapes, kind by kind, so that all ranks have the first kinds before any rank has the last."""
    pool: dict[Shape, None] = {}
    for kind in (_least, _different, _long, _alike, _with_ones):
        for rank in ranks:
            pool.setdefault(_clipped(kind(rank, sides, source), sides))
    rest = sum(len(sides) ** rank for rank in ranks)
    while len(pool) < min(_POOL_SIZE, rest):
        rank = source.choice(ranks)
        pool.setdefault(tuple(source.choice(sides) for _ in range(rank)))
    return list(pool)[:_POOL_SIZE]


def _clipped(shape: Shape, sides: range) -> Shape:
    return tuple(min(max(side, sides[0]), sides[-1]) for side in shape)


def _least(rank: int, sides: range, source: random.Random) -> Shape:
    return (sides[0],) * rank


def _different(rank: int, sides: range, source: random.Random) -> Shape:
    # No side is a multiple of another, so that a transposed or reshaped array does not fit by chance.
    return (2, 3, 5, 7, 11, 13, 17, 19)[:rank] + (2,) * (rank - 8)


def _long(rank: int, sides: range, source: random.Random) -> Shape:
    longest = source.randrange(max(rank, 1))
    return tuple(sides[-1] if axis == longest else source.choice((2, 3)) for axis in range(rank))


def _alike(rank: int, sides: range, source: random.Random) -> Shape:
    return (source.choice((2, 4, 8)),) * rank


def _with_ones(rank: int, sides: range, source: random.Random) -> Shape:
    single = source.randrange(max(rank, 1))
    return tuple(1 if axis == single else source.choice((4, 5, 6, 7)) for axis in range(rank))
