"""The rises of a result that are right if an intervention adds an amount of its own to each number of a state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.core.plan import own_amounts

#: The most statistics of a feature or lane that a state interleaves: a mean and a variance, say.
APART = 4


def amounts_in_turn(size: int, *, single: bool = False) -> Iterator[np.ndarray]:
    """The sequences of amounts that `size` numbers of a state may have got; those of a whole array first.

    The numbers may be the elements of an array, one of its rows or columns, or single numbers among others. With
    `single`, they may also all come from one number.
    """
    amounts = own_amounts(APART * (size + 1) + 1).astype(np.float64)
    for step in range(1, APART + 1):
        for start in (*range(APART), *(row * size for row in range(2, APART + 1))):
            sequence = amounts[start : start + step * size : step]
            if len(sequence) == size:
                yield sequence
    if single:
        yield from (np.full(size, amount) for amount in amounts[:APART])


def in_blocks(rises: np.ndarray) -> bool:
    """Whether the rises are the amounts of several arrays in a row, each from its first element on."""
    amounts = own_amounts(len(rises))
    element = 0
    for position, rise in enumerate(rises):
        element = element + 1 if position and rise == amounts[min(element + 1, len(rises) - 1)] else 0
        if rise != amounts[element]:
            return False
    return True
