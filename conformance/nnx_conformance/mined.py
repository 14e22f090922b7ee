"""Cases to which the numbers of a candidate's source lead: as an argument, a length, an element, and together.

They are listed and not drawn. So the same source leads to the same cases, every number plays every part that it can,
and each case is as small as it can be for that: there is nothing to shrink.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.literals import Literals

#: The first numbers are also tried two at a time, each as another argument.
TOGETHER = 4
#: What stands in an array beside a number, or throughout where the length is what matters.
ORDINARY = (1.0, -2.5, 4.0)


@dataclass(frozen=True)
class Whole:
    """An argument that is a whole number from `low` to `high`."""

    low: int
    high: int


@dataclass(frozen=True)
class Vector:
    """A vector, of a length from `shortest` to `longest`, with elements of magnitude up to `bound`."""

    shortest: int
    longest: int
    bound: float


@dataclass(frozen=True)
class Real:
    """An argument that is a number from `low` to `high`, which it is not."""

    low: float
    high: float


@dataclass(frozen=True)
class Elements:
    """An array that keeps the shape that it has in the base case, with elements of magnitude up to `bound`."""

    bound: float


Role = Whole | Vector | Real | Elements


def mined(found: Literals, base: Case, roles: Mapping[str, Role]) -> Iterator[Case]:
    """The cases, each of them once.

    Args:
        found: the numbers of the source.
        base: a small case of ordinary values; what a number does not concern stays as it is there.
        roles: what the numbers may be, by the names of the arguments.
    """
    seen = {base.key}
    for case in itertools.chain(_alone(found, base, roles), _together(found, base, roles)):
        if case.key not in seen:
            seen.add(case.key)
            yield case


def _alone(found: Literals, base: Case, roles: Mapping[str, Role]) -> Iterator[Case]:
    for number in (*found.whole, *found.fractions):
        for name, role in roles.items():
            for value in _values(role, number):
                shaped = np.resize(value, base[name].shape) if isinstance(role, Elements) else value
                yield _with(base, {name: shaped})


def _together(found: Literals, base: Case, roles: Mapping[str, Role]) -> Iterator[Case]:
    for one, other in itertools.permutations(found.whole[:TOGETHER], 2):
        for left, right in itertools.combinations(roles, 2):
            for first, second in itertools.product(_exactly(roles[left], one), _exactly(roles[right], other)):
                yield _with(base, {left: first, right: second})


def _values(role: Role, number: int | float) -> Iterator[np.ndarray]:
    """What an argument becomes by a number: it, its neighbours, and for a vector also what it holds."""
    if isinstance(role, Whole):
        yield from (np.asarray(near) for near in (number, number + 1, number - 1) if _is_whole(role, near))
        return
    yield from _exactly(role, number)
    if not isinstance(role, Real) and number <= role.bound:
        contents = _contents(role.bound, number)
        fit = (each for each in contents if isinstance(role, Elements) or role.shortest <= len(each) <= role.longest)
        yield from map(np.asarray, fit)


def _contents(bound: float, number: int | float) -> tuple[tuple[float, ...], ...]:
    """What an array holds by a number: it, its negative, numbers on either side of it."""
    beyond = min(2.0 * number, bound)
    return (number,), (-number,), (ORDINARY[0], number), (beyond,), (-beyond,), (0.5 * number,)


def _exactly(role: Role, number: int | float) -> Iterator[np.ndarray]:
    """The number itself, or a vector that is so long."""
    if isinstance(role, Whole):
        if _is_whole(role, number):
            yield np.asarray(number)
    elif isinstance(role, Real):
        if role.low <= number < role.high:
            yield np.asarray(number)
    elif isinstance(role, Vector) and float(number).is_integer() and role.shortest <= number <= role.longest:
        yield np.resize(np.asarray(ORDINARY), int(number))


def _is_whole(role: Whole, number: int | float) -> bool:
    return float(number).is_integer() and role.low <= number <= role.high


def _with(base: Case, changed: Mapping[str, np.ndarray]) -> Case:
    """The case with other values, of the dtypes that its arguments have."""
    arguments = tuple(
        dataclasses.replace(one, data=changed[one.name].astype(one.data.dtype)) if one.name in changed else one
        for one in base.arguments
    )
    return dataclasses.replace(base, arguments=arguments)
