"""Operands of a comparison: their numbers, their distance, and the values that would make them equal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnx_conformance.core.search.conditions import Comparison, Outcome

#: Of a set or a table, so many members are tried, those nearest first.
MEMBERS = 48
Pair = tuple[float, float]


def numbers(value: Any) -> list[float]:
    """The numbers in an operand."""
    if isinstance(value, (bool, int, float)):
        return [value] if math.isfinite(value) and abs(value) < 1e18 else []
    if isinstance(value, str):
        return [int(value)] if value.isascii() and value.isdigit() and len(value) < 18 else []
    if isinstance(value, np.ndarray):
        value = value.ravel()[:MEMBERS].tolist()
    return [number for part in value[:MEMBERS] for number in numbers(part)] if isinstance(value, list) else []


def pairs(visit: Comparison, wanted: Outcome) -> list[Pair]:
    """The numbers that are compared and differ, part by part; of a set or an array those that are nearest."""
    left, right = visit.left.value, visit.right.value
    if isinstance(right, list) and not isinstance(left, (list, np.ndarray)):
        return min(([(mine, its)] for mine in numbers(left) for its in numbers(right)), key=_apart, default=[])
    if isinstance(left, list) and isinstance(right, list) and right and isinstance(right[0], list):
        return min((_parts(left, member) for member in right if isinstance(member, list)), key=_apart, default=[])
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and left.shape == right.shape:
        return _elements(left, right, wanted)
    if isinstance(left, np.ndarray) and len(numbers(right)) == 1:
        return _elements(left, np.full(left.shape, numbers(right)[0]), wanted)
    if isinstance(right, np.ndarray) and len(numbers(left)) == 1:
        return _elements(np.full(right.shape, numbers(left)[0]), right, wanted)
    if isinstance(left, (list, np.ndarray)) and isinstance(right, (list, np.ndarray)):
        return _parts(list(left), list(right))
    mine, its = numbers(left), numbers(right)
    return [(mine[0], its[0])] if len(mine) == len(its) == 1 else []


def _apart(pairs: list[Pair]) -> tuple[int, float]:
    return len(pairs), sum(abs(left - right) for left, right in pairs)


def _parts(left: list[Any], right: list[Any]) -> list[Pair]:
    if len(left) != len(right):
        return [(len(left), len(right))]
    return [
        (a, b)
        for mine, its in zip(left, right, strict=True)
        if mine != its
        for a, b in zip(numbers(mine)[:1], numbers(its)[:1], strict=False)
    ]


def _elements(left: np.ndarray, right: np.ndarray, wanted: Outcome) -> list[Pair]:
    if not left.size or left.dtype.kind not in "biuf" or right.dtype.kind not in "biuf":
        return []
    mine, its = left.astype(np.float64).ravel(), right.astype(np.float64).ravel()
    gaps = np.nan_to_num(np.abs(mine - its), nan=np.inf)
    every = wanted in (Outcome.ALL_TRUE, Outcome.ALL_FALSE)
    order = np.argsort(gaps, kind="stable")
    kept = [at for at in order if gaps[at] > 0] if every else list(order[:1])
    return [(float(mine[at]), float(its[at])) for at in kept[:MEMBERS] if math.isfinite(gaps[at])]


def distance(visit: Comparison, wanted: Outcome) -> tuple[float, float]:
    """How far a comparison is from its other outcome: how many parts differ, and by how much."""
    far = pairs(visit, wanted)
    return _apart(far) if far else (MEMBERS + 1.0, 0.0)


def targets(visit: Comparison, ordered: bool) -> Iterator[Any]:
    """The values to try: the other operand, members of a set nearest first, parts of a tuple, and their neighbours."""
    left, right = visit.left.value, visit.right.value
    for value, other in ((right, left), (left, right)):
        if isinstance(value, (list, np.ndarray)) and len(value):
            yield value
            if isinstance(value, list) and isinstance(value[0], list):
                yield from value[:4]
        if isinstance(value, str) and not value.isdigit():
            yield value
        near, mine = numbers(value), numbers(other)
        if len(mine) == 1:
            near = sorted(near, key=lambda number: abs(number - mine[0]))
        for number in near:
            yield number
            if ordered:
                yield from (number + 1, number - 1, float(np.nextafter(np.float32(number), np.float32(np.inf))))
                yield from (2 * number, number / 2)
        if isinstance(value, str) and value.isdigit():
            yield from (int(f"1{value}"), int(f"{value}1"))
