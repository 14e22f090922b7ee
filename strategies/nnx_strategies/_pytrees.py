"""Pytrees in the form of module states: nested dicts and lists of arrays."""

from __future__ import annotations

import functools
import itertools
import random
import string
from typing import Any

from hypothesis import strategies as st

from ._arrays.arrays import arrays
from ._arrays.shapes import shapes
from ._validation import bounds, strategy, whole
from ._whole_numbers import among, plain, whole_numbers

_POOL_SIZE = 16
# Out of 50 structures, one is any structure and the others come from the pool; see `lengths`.
_ANYWHERE, _POOL = 1, 49
Skeleton = tuple[str, tuple["Skeleton", ...]]
"""A container, `"dict"` or `"list"`, with its members; `("leaf", ())` for a leaf."""
LEAF: Skeleton = ("leaf", ())


def pytrees(
    *,
    leaves: st.SearchStrategy[Any] | None = None,
    min_leaves: int = 1,
    max_leaves: int = 6,
    max_depth: int = 3,
    pool_seed: int = 0,
) -> st.SearchStrategy[dict[str, Any]]:
    """States: dicts of arrays, and of dicts and lists of arrays, a few levels deep.

    Each new structure costs one trace of the code under test, so most come from a pool of 16: flat and nested, narrow
    and wide. A few are any other structure. Shrinks to `min_leaves` leaves in one dict.

    Args:
        leaves: draws each leaf independently, and must not draw containers; JAX arrays of rank 0 to 2 if None.
        min_leaves: fewest leaves; >= 0.
        max_leaves: most leaves, included.
        max_depth: most containers around a leaf; >= 1.
        pool_seed: selects the pool: the same seed repeats a run, another one tries other structures.

    Returns:
        A strategy for dicts with the keys `"a"`, `"b"`, ..., whose values are leaves, dicts or lists. Only the
        outermost dict may be empty.

    Raises:
        InvalidArgument: if an argument is no int or out of order, or `leaves` is no strategy.
    """
    counts = bounds(low=min_leaves, high=max_leaves, names=("min_leaves", "max_leaves"), least=0)
    depth = bounds(low=max_depth, high=max_depth, names=("max_depth", "max_depth"), least=1)[0]
    if leaves is None:
        leaves = arrays(shape=shapes(max_dims=2, max_side=8, pool_seed=pool_seed))
    leaf = strategy("leaves", leaves, example="arrays()")
    numbers = range(sum(_forests(count, depth) for count in counts))
    source = random.Random(whole("pool_seed", pool_seed))
    pool = among(numbers, _pool(numbers, counts, depth, source))
    ways = [plain(numbers)] * _ANYWHERE + [pool] * _POOL
    drawn = whole_numbers(numbers, ways=ways, purpose="pytrees")

    @st.composite
    def pytree(draw: st.DrawFn) -> Any:
        return _filled(_skeleton(draw(drawn), counts, depth), draw, leaf)

    return pytree()


def _filled(container: Skeleton, draw: st.DrawFn, leaf: st.SearchStrategy[Any]) -> Any:
    kind, inside = container
    if kind == "leaf":
        return draw(leaf)
    filled = [_filled(one, draw, leaf) for one in inside]
    return filled if kind == "list" else dict(zip(map(_name, itertools.count()), filled, strict=False))


def _name(place: int) -> str:
    letter = string.ascii_lowercase[place % 26]
    return letter if place < 26 else f"{letter}{place // 26}"


def _pool(numbers: range, counts: range, depth: int, source: random.Random) -> set[int]:
    """The simplest structures, some with a dict or list inside, flat ones, and random ones of all counts of leaves."""
    firsts = [sum(_forests(less, depth) for less in counts if less < count) for count in counts]
    pool = {number for number in (0, 1, 2, *firsts[:4]) if number in numbers}
    for _ in range(_POOL_SIZE - len(pool)):
        position = source.randrange(len(firsts))
        pool.add(firsts[position] + source.randrange(_forests(counts[position], depth)))
    return pool


# Structures are numbered, the simplest first, so that a single draw selects and shrinks one. A forest is the content of
# a container: trees in order. `_forests` and `_trees` count those with exactly `leaves` leaves and at most `depth`
# containers around a leaf, including a forest's own container.
@functools.cache
def _forests(leaves: int, depth: int) -> int:
    if leaves == 0:
        return 1
    return sum(_trees(first, depth - 1) * _forests(leaves - first, depth) for first in range(1, leaves + 1))


@functools.cache
def _trees(leaves: int, depth: int) -> int:
    return (leaves == 1) + (2 * _forests(leaves, depth) if depth else 0)


def _skeleton(number: int, counts: range, depth: int) -> Skeleton:
    for count in counts:
        if number < _forests(count, depth):
            return "dict", _forest(number, count, depth)
        number -= _forests(count, depth)
    raise AssertionError("the number of a structure lies below the count of all")


def _forest(number: int, leaves: int, depth: int) -> tuple[Skeleton, ...]:
    for first in range(1, leaves + 1):
        rest = _forests(leaves - first, depth)
        if number < _trees(first, depth - 1) * rest:
            tree = _tree(number // rest, first, depth - 1)
            return tree, *_forest(number % rest, leaves - first, depth)
        number -= _trees(first, depth - 1) * rest
    return ()


def _tree(number: int, leaves: int, depth: int) -> Skeleton:
    if leaves == 1:
        if number == 0:
            return LEAF
        number -= 1
    return ("dict", "list")[number % 2], _forest(number // 2, leaves, depth)
