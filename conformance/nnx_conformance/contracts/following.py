"""What results may rise by when interventions add to each number of a state an amount of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.core.plan import own_amounts

#: Numbers that belong to a feature or lane may lie so far apart, with others between them: a mean, a variance.
APART = 4


def amounts_in_turn(size: int, *, single: bool = False) -> Iterator[np.ndarray]:
    """The amounts that so many numbers may have been given, those of one array first.

    They are elements of an array, a row or a column of it, or single numbers with others among them. With `single`,
    also one number that all of them come from.
    """
    every = own_amounts(APART * (size + 1) + 1).astype(np.float64)
    for step in range(1, APART + 1):
        for start in (*range(APART), *(row * size for row in range(2, APART + 1))):
            chosen = every[start : start + step * size : step]
            if len(chosen) == size:
                yield chosen
    if single:
        yield from (np.full(size, amount) for amount in every[:APART])


def in_blocks(rises: np.ndarray) -> bool:
    """Whether these are the amounts of several arrays one after the other, each from its first element on."""
    every = own_amounts(len(rises))
    at = 0
    for position, rise in enumerate(rises):
        at = at + 1 if position and rise == every[min(at + 1, len(rises) - 1)] else 0
        if rise != every[at]:
            return False
    return True
