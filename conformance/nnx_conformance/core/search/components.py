"""The parts of a contract's cases that a search may set, and their bounds, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case

#: How many of a whole number's least values are tried in place of a larger one.
LEAST = 16
#: Fills an array up after the values that matter.
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
    """An argument that is a number from `low` up to, but not including, `high`."""

    low: float
    high: float

    def fits(self, value: Any) -> bool:
        """Whether the argument may have this value."""
        return np.ndim(value) == 0 and bool(self.low <= value < self.high)


@dataclass(frozen=True)
class Array:
    """An argument that is an array: the least and largest length of each side, the largest magnitude of an element."""

    sides: tuple[tuple[int, int], ...]
    bound: float

    def fits(self, value: Any) -> bool:
        """Whether the argument may have this value."""
        shape = np.shape(value)
        sides = len(shape) == len(self.sides)
        within = sides and all(low <= side <= high for side, (low, high) in zip(shape, self.sides, strict=True))
        return within and bool(np.all(np.abs(np.asarray(value, np.float64)) <= self.bound))

    def shaped(self, values: Any, size: int) -> np.ndarray:
        """An array of at least `size` elements: these values, then ordinary ones. Its last side is the longest."""
        shape = [low for low, _ in self.sides]
        for side in reversed(range(len(shape))):
            others = int(np.prod(shape)) // max(shape[side], 1)
            shape[side] = min(self.sides[side][1], max(shape[side], -(-size // max(others, 1))))
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
        roles: the kind and bounds of each argument, by name.
    """

    base: Case
    roles: Mapping[str, Role]

    def put(self, case: Case, name: str, value: Any) -> Case | None:
        """The case with this value for one argument, cast to its dtype; None if the value is out of bounds."""
        if not self.roles[name].fits(value):
            return None
        arguments = tuple(
            dataclasses.replace(argument, data=np.asarray(value).astype(argument.data.dtype))
            if argument.name == name
            else argument
            for argument in case.arguments
        )
        return dataclasses.replace(case, arguments=arguments)

    def ordinary(self, case: Case) -> Case | None:
        """The case with ordinary elements in each array of equal ones; None if there is no such array."""
        put: Case | None = None
        for name, role in self.roles.items():
            data = case[name]
            if isinstance(role, Array) and data.size and np.all(data == data.flat[0]):
                put = self.put(put or case, name, np.resize(ORDINARY, data.shape)) or put
        return put

    def differing(self, one: Case, other: Case) -> list[str]:
        """The arguments in which two cases differ."""
        return [name for name in self.roles if not np.array_equal(one[name], other[name])]

    def least(self, case: Case) -> Iterator[Case]:
        """The case with one whole number at its lower bound, for each of them."""
        for name, role in self.roles.items():
            if isinstance(role, Whole) and case[name] != role.low and (put := self.put(case, name, float(role.low))):
                yield put

    def nearer(self, case: Case) -> Iterator[Case]:
        """The case with one argument taken from the base case, for each argument that differs."""
        for name in self.roles:
            nearer = self.put(case, name, self.base[name])
            if nearer is not None and nearer.key != case.key:
                yield nearer

    def reduced(self, case: Case) -> Iterator[Case]:
        """The case with one argument as it is in the base case, or, where it is a whole number, smaller."""
        yield from self.nearer(case)
        yield from self.smaller(case)

    def smaller(self, case: Case) -> Iterator[Case]:
        """The case with one whole number at each of its least values, in ascending order.

        A search that halves and subtracts misses faults that come and go: from 49 it reaches no other multiple of 7.
        """
        for name, role in self.roles.items():
            if isinstance(role, Whole):
                for value in range(role.low, min(int(case[name]), role.low + LEAST)):
                    if (put := self.put(case, name, float(value))) is not None:
                        yield put
