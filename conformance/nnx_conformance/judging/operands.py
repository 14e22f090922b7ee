"""Operands of a comparison: their numbers, their distance, and the values that would make them equal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case
from nnx_conformance.core.search.conditions import Comparison, Outcome, Site

#: Of a set or a table, so many members are tried, those nearest first.
MEMBERS = 48
#: What compared the same in so many cases that differed in one argument alone does not depend on that one.
IDLE = 3
WANTED = (Outcome.TRUE, Outcome.FALSE, Outcome.ALL_TRUE, Outcome.ALL_FALSE)
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
    if isinstance(left, str) and isinstance(right, str) and not (numbers(left) and numbers(right)):
        mine, its = _hexadecimal(left), _hexadecimal(right)
    return [(mine[0], its[0])] if len(mine) == len(its) == 1 else []


def _hexadecimal(value: Any) -> list[float]:
    """The number that a text of hexadecimal digits is."""
    fits = isinstance(value, str) and 0 < len(value) < 15 and set(value) <= set("0123456789abcdef")
    return [int(value, 16)] if fits else []


def _joined(value: list[Any]) -> list[float]:
    """The number that a list of decimal digits is."""
    digits = [str(part) for part in value if type(part) in (int, str)]
    fits = len(digits) == len(value) and 0 < len(value) < 15 and all(len(digit) == 1 for digit in digits)
    return numbers("".join(digits)) if fits else []


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
            yield from _hexadecimal(value)
        if isinstance(value, list):
            yield from _joined(value)
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


@dataclass(eq=False)
class PursuedCondition:
    """One condition over all runs so far.

    Attributes:
        met: its outcomes, and those that the given cases came to.
        near: by outcome, the distance of the case that came nearest to it, that case, and what it compared.
        reached: the run that came to it first, and how many did.
        values: a few of what it compared; whether that depends on the case shows in their number.
        parts: the parts of a case that one of its operands has been in every run.
        idle: how often another value of an argument alone changed no operand; less than nothing once one did.
    """

    site: Site
    met: Outcome = Outcome.NONE
    given: Outcome = Outcome.NONE
    reached: int = -1
    cases: int = 0
    near: dict[Outcome, tuple[tuple[float, float], Case, Comparison]] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    parts: set[str] | None = None
    idle: dict[str, float] = field(default_factory=dict)

    def varies(self, names: Iterable[str]) -> bool:
        """Whether what it compares may depend on the case, of which these are the arguments."""
        return len(self.values) > 1 or not all(map(self.is_idle, names))

    def is_idle(self, name: str) -> bool:
        """Whether another value of an argument makes no difference to what it compares, as far as that was tried."""
        return self.idle.get(name, 0) >= IDLE

    def note(self, case: Case, visit: Comparison, parts: Mapping[str, float]) -> None:
        """Note what one run compared, in a case of these parts."""
        if len(self.values) < 4:
            self.values.add(f"{visit.left.value}{visit.right.value}{visit.outcome}")
        for wanted in WANTED:
            if not self.met & wanted:
                far = distance(visit, wanted)
                if wanted not in self.near or far < self.near[wanted][0]:
                    self.near[wanted] = far, case, visit
        sides = (*numbers(visit.left.value)[:1], *numbers(visit.right.value)[:1])
        here = {name for name, value in parts.items() if value in sides}
        self.parts = here if self.parts is None else self.parts & here

    def learn(self, name: str, before: Sequence[Comparison], after: Sequence[Comparison]) -> None:
        """Learn whether another value of an argument alone changes the operands, from what was compared with each."""
        if before and after:
            same = [str((visit.left.value, visit.right.value)) for visit in before]
            alike = same == [str((visit.left.value, visit.right.value)) for visit in after]
            self.idle[name] = self.idle.get(name, 0) + (1 if alike else -math.inf)
