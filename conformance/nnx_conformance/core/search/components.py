"""What a contract's cases are made of, as data: the parts of a case that a search may set, and within which bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case

#: So many of the least values of a whole number are tried in place of a larger one.
LEAST = 16
#: What an array is filled up with, beside what matters.
ORDINARY = (1.0, -2.5, 4.0)


@dataclass(frozen=True)
class Whole:
    """An argument that is a whole number from `low` to `high`."""

    low: int
    high: int

    def fits(self, value: Any) -> bool:
        """Whether the argument may have this value."""
        return np.ndim(value) == 0 and self.low <= value <= self.high and int(value) == value


@dataclass(frozen=True)
class Real:
    """An argument that is a number from `low` to `high`, which it is not."""

    low: float
    high: float

    def fits(self, value: Any) -> bool:
        """Whether the argument may have this value."""
        return np.ndim(value) == 0 and bool(self.low <= value < self.high)


@dataclass(frozen=True)
class Array:
    """An argument that is an array: the least and most of each side, and the largest magnitude of an element."""

    sides: tuple[tuple[int, int], ...]
    bound: float

    def fits(self, value: Any) -> bool:
        """Whether the argument may have this value."""
        shape = np.shape(value)
        sides = len(shape) == len(self.sides)
        within = sides and all(low <= side <= high for side, (low, high) in zip(shape, self.sides, strict=True))
        return within and bool(np.all(np.abs(np.asarray(value, np.float64)) <= self.bound))

    def shaped(self, values: Any, size: int) -> np.ndarray:
        """These values and then ordinary ones in an array of at least `size` elements: the last side is the longest."""
        shape = [low for low, _ in self.sides]
        for side in reversed(range(len(shape))):
            rest = int(np.prod(shape)) // max(shape[side], 1)
            shape[side] = min(self.sides[side][1], max(shape[side], -(-size // max(rest, 1))))
        content = np.resize(np.asarray(ORDINARY), int(np.prod(shape)))
        values = np.ravel(values)[: content.size]
        content[: len(values)] = values
        return content.reshape(shape)


Role = Whole | Real | Array


@dataclass(frozen=True, eq=False)
class Components:
    """The parts of a contract's cases.

    Attributes:
        base: a small case of ordinary values.
        roles: what each argument may be, by its name.
    """

    base: Case
    roles: Mapping[str, Role]

    def put(self, case: Case, name: str, value: Any) -> Case | None:
        """The case with another value of one argument, of the same dtype; None if the argument may not have it."""
        if not self.roles[name].fits(value):
            return None
        arguments = tuple(
            dataclasses.replace(each, data=np.asarray(value).astype(each.data.dtype)) if each.name == name else each
            for each in case.arguments
        )
        return dataclasses.replace(case, arguments=arguments)

    def least(self, case: Case) -> Iterator[Case]:
        """The case with one whole number at its least."""
        for name, role in self.roles.items():
            if isinstance(role, Whole) and case[name] != role.low and (put := self.put(case, name, float(role.low))):
                yield put

    def nearer(self, case: Case) -> Iterator[Case]:
        """The case with one argument as it is in the base case."""
        for name in self.roles:
            near = self.put(case, name, self.base[name])
            if near is not None and near.key != case.key:
                yield near

    def smaller(self, case: Case) -> Iterator[Case]:
        """The case with one whole number among the least that it may be, in ascending order.

        A search that halves and subtracts steps over them where what is wrong comes and goes: from 49, a multiple of
        7, it finds no other one.
        """
        for name, role in self.roles.items():
            if isinstance(role, Whole):
                for value in range(role.low, min(int(case[name]), role.low + LEAST)):
                    if (put := self.put(case, name, float(value))) is not None:
                        yield put
