"""Moves from one case to others: change a number of it, or put a value in as any part."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case
from nnx_conformance.core.search.components import Array, Components, Real, Whole
from nnx_conformance.judging.operands import numbers

#: Steps by which a whole number is moved until the operand moves: what masks and divisions hide from a step of one.
STEPS = (1, 256, 65_536, 16_777_216)


@dataclass(frozen=True, eq=False)
class Handle:
    """A number in a case that can be moved: `set` gives the case with another one, or None where it may not be."""

    name: str
    value: float
    steps: tuple[float, ...]
    whole: bool
    set: Callable[[float], Case | None]


def handles(components: Components, case: Case) -> Iterator[Handle]:
    """The numbers of a case: arguments, the sides of arrays, their first and last element, and all together."""

    def handle(name: str, value: Any, steps: tuple[float, ...], whole: bool, make: Callable[[float], Any]) -> Handle:
        return Handle(name, float(value), steps, whole, lambda moved: components.put(case, name, make(moved)))

    for name, role in components.roles.items():
        data = case[name]
        if isinstance(role, Whole):
            yield handle(name, data, (*STEPS, -1), True, round)
        elif isinstance(role, Real):
            yield handle(name, data, ((role.high - role.low) / 64, (role.low - role.high) / 64), False, float)
        else:
            for side in range(data.ndim):
                yield handle(name, data.shape[side], (1, 7), True, partial(grown, data, side))
            for at in (0, -1)[: data.size]:
                yield handle(name, data.flat[at], (1, -1), False, partial(replaced, data, at))
            if data.size > 1:
                yield handle(name, data.flat[0], (1, -1), False, partial(shifted, data))


def parts(components: Components, case: Case) -> dict[str, float]:
    """The numbers of a case that need no computation: arguments, and the sides of arrays."""
    named: dict[str, float] = {}
    for name in components.roles:
        data = case[name]
        named |= {f"{name}.{side}": size for side, size in enumerate(data.shape)} if data.ndim else {name: data.item()}
    return named


def grown(data: np.ndarray, side: int, size: float) -> np.ndarray:
    """An array with another length of one side, its elements repeated."""
    shape = list(data.shape)
    shape[side] = max(0, min(round(size), 1 << 20))
    count = int(np.prod(shape))
    return np.resize(data, shape) if data.size and count <= 1 << 20 else np.zeros((0,) * data.ndim)


def replaced(data: np.ndarray, at: int, value: float) -> np.ndarray:
    """An array with another element."""
    new = np.array(data, np.float64)
    new.flat[at] = value
    return new


def shifted(data: np.ndarray, first: float) -> np.ndarray:
    """An array with another first element, and the others moved by as much."""
    return np.asarray(data, np.float64) + (first - float(data.flat[0]))


def beside(value: float, whole: bool) -> tuple[float, ...]:
    """A number and its neighbours: whole ones, or as float32 has them."""
    if not math.isfinite(value) or abs(value) > 1e18:
        return ()
    if whole:
        return (round(value), round(value) + 1, round(value) - 1)
    near = np.float32(value)
    up, down = np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))
    return (float(near), float(up), float(down), round(value, 3))


def placements(components: Components, case: Case, target: Any) -> Iterator[Case]:
    """The cases that hold a value in one of the parts that can take it."""
    for name, role in components.roles.items():
        for value in _values(role, case[name], target):
            if (placed := components.put(case, name, value)) is not None:
                yield placed


def _values(role: Whole | Real | Array, data: np.ndarray, target: Any) -> Iterator[Any]:
    if not isinstance(role, Array):
        if isinstance(target, (bool, int, float)) and math.isfinite(target):
            yield float(target)
        return
    if isinstance(target, (list, np.ndarray)):
        content = np.asarray(numbers(list(np.ravel(np.asarray(target, object)))), np.float64)
        if content.size:
            if np.ndim(target) == data.ndim and isinstance(target, np.ndarray):
                yield target
            yield role.shaped(content, content.size)
            yield role.shaped(content, max(content.size + 1, data.size))
        return
    if not isinstance(target, (bool, int, float)) or not math.isfinite(target):
        return
    size = max(data.size, 1)
    if float(target).is_integer() and 0 <= target <= 4096:
        for side in range(data.ndim):
            yield grown(data, side, target)
    if abs(target) <= role.bound and data.size:
        yield replaced(data, 0, target)
        yield np.full(data.shape, target)
        yield np.full(data.shape, 0.0) + replaced(np.zeros(data.shape), 0, target)
        yield replaced(data, -1, target)
        yield np.full(data.shape, target / size)
    if float(target).is_integer() and 0 <= target <= 256:
        at = int(target)
        peak = np.zeros(at + 1)
        peak[at] = role.bound
        yield role.shaped(peak, at + 1)
        for many, other in ((0.0, 1.0), (1.0, 0.0), (1.0, -1.0), (-1.0, 1.0)):
            yield role.shaped([*[many] * at, other, other], at + 2)


def guesses(components: Components, case: Case, number: float) -> Iterator[Case]:
    """Whole numbers of which a small number says something: how many digits or bits, or what their sum is."""
    if not (float(number).is_integer() and 1 <= number <= 96):
        return
    count = int(number)
    digits = int("9" * (count // 9)) if count >= 9 else 0
    told = (10 ** (count - 1), 2**count - 1, 2**count, int(f"{count % 9 or ''}{digits or ''}" or 0), count * count)
    for name, role in components.roles.items():
        if isinstance(role, Whole):
            placed = (components.put(case, name, float(value)) for value in told)
            yield from (each for each in placed if each is not None)


def shapes(components: Components) -> Iterator[Case]:
    """Ends of every number, and arrays of a kind: sorted, equal, huge, tiny, long, the same both ways."""
    made: list[list[Case | None]] = []
    for name, role in components.roles.items():
        values: list[Any]
        if isinstance(role, Whole):
            values = [role.low, role.high, role.low + 1]
        elif isinstance(role, Real):
            values = [role.low, (role.low + role.high) / 2]
        else:
            rising = np.arange(1.0, 9.0)
            contents = (rising, -rising, rising[::-1], np.ones(8), np.zeros(8), rising * role.bound / 8)
            more = (rising * 1e-3, np.asarray((1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0)), np.tile((1.0, -1.0), 4))
            values = [role.shaped(content, 8) for content in (*contents, *more, np.resize((3.0, 1.0), 300))]
            values += [role.shaped(np.asarray(()), 300), role.shaped((role.bound,), 1)]
        made.append([components.put(components.base, name, value) for value in values])
    # In turn, so that the first few show already what depends on the case.
    yield from (case for row in itertools.zip_longest(*made) for case in row if case is not None)
