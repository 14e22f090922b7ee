"""Sequences of named operations, for tests that drive something stateful."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from ._validation import bounds, misuse, whole
from ._whole_numbers import index, indices

Operation = TypeVar("Operation")


def operation_sequences(
    operations: Mapping[Operation, int] | Sequence[Operation],
    *,
    min_size: int = 0,
    max_size: int = 20,
) -> st.SearchStrategy[tuple[Operation, ...]]:
    """Tuples of operations, to be run in their order.

    All lengths are equally frequent. Half of the sequences draw from all operations; the others leave some out, chosen
    for each sequence (swarm testing, https://doi.org/10.1145/2338965.2336763). A fault that another operation undoes,
    or that needs many operations of one kind in a row, shows only without the others. Shrinks to `min_size` times the
    first operation, so name the plainest one first.

    Args:
        operations: their names, or a mapping from names to weights: whole numbers >= 1, relative frequencies. Names
            are any hashable values, all different.
        min_size: shortest sequence; >= 0.
        max_size: longest sequence, included.

    Returns:
        A strategy for tuples of `min_size` to `max_size` operations.

    Raises:
        InvalidArgument: if there is no operation or one is named twice, a weight or size is no int, a weight is below
            1, or the sizes are out of order.
    """
    sizes = bounds(low=min_size, high=max_size, names=("min_size", "max_size"), least=0)
    names, weights = _weighted(operations)
    upto = list(itertools.accumulate(weights))
    count, plain = indices(len(sizes), purpose="length of operations"), indices(2, purpose="plain operations")
    masks = indices(2 ** len(names), purpose="operations left out")
    places = tuple(indices(upto[-1], purpose=f"operation {i}") for i in range(sizes[-1]))

    @st.composite
    def sequence(draw: st.DrawFn) -> tuple[Operation, ...]:
        size = sizes[index(draw(count))]
        left_out = index(draw(masks)) if index(draw(plain)) else 0
        drawn = [bisect.bisect(upto, index(draw(place))) for place in places[:size]]
        return tuple(names[_kept(at, left_out, len(names))] for at in drawn)

    return sequence()


def _weighted(operations: Any) -> tuple[list[Any], list[int]]:
    if isinstance(operations, (str, bytes)) or not isinstance(operations, (Mapping, Sequence)):
        fix = "Pass their names, such as operations=['call', 'save'], or a mapping from names to weights."
        raise misuse(expected="a sequence or a mapping", name="operations", value=operations, fix=fix)
    names = list(operations)
    if not names or len(set(names)) < len(names):
        expected = "one operation or more, all different,"
        raise misuse(expected=expected, name="operations", value=operations, fix="Name each operation once.")
    if not isinstance(operations, Mapping):
        return names, [1] * len(names)
    weights = [whole(f"operations[{name!r}]", operations[name]) for name in names]
    for name, weight in zip(names, weights, strict=True):
        if weight < 1:
            fix = "Pass a weight of 1 or more, or leave the operation out."
            raise misuse(expected="an int >= 1", name=f"operations[{name!r}]", value=weight, fix=fix)
    return names, weights


def _kept(at: int, left_out: int, count: int) -> int:
    """`at`, or the next one that is not left out; `at` if all are."""
    around = itertools.chain(range(at, count), range(at))
    return next((one for one in around if not left_out >> one & 1), at)
