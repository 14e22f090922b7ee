"""Facts with one thing altered: what a check compares shows in the alterations that break it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Iterator
from typing import Any

import numpy as np

#: Where one thing is to be many: more than any check allows.
MANY = 4


def alterations(value: Any, kind: Any) -> Iterator[Any]:
    """Plain data of this type, each time with one part of it altered, left out, repeated, or added where none is."""
    if value is None or (isinstance(value, tuple) and not value):
        yield from _added(kind)
    elif isinstance(value, np.ndarray):
        yield from _other_arrays(value)
    elif isinstance(value, enum.Enum):
        yield from (other for other in type(value) if other is not value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
    elif isinstance(value, str):
        yield value + "x"
    elif isinstance(value, tuple):
        yield from _other_tuples(value, kind)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name, hint in _fields(type(value)):
            for other in alterations(getattr(value, name), hint):
                yield dataclasses.replace(value, **{name: other})


def _other_arrays(value: np.ndarray) -> Iterator[np.ndarray]:
    if value.dtype.kind in "fiu":
        yield (value + 1).astype(value.dtype)
        yield (value + 100).astype(value.dtype)[None]
    yield np.zeros((7, *value.shape), value.dtype)
    yield value.astype(bool)


def _other_tuples(value: tuple[Any, ...], kind: Any) -> Iterator[tuple[Any, ...]]:
    kinds = typing.get_args(kind)
    yield value[:-1]
    yield (*value, value[-1])
    for at, part in enumerate(value):
        for other in alterations(part, kinds[at] if kinds[-1] is not Ellipsis else kinds[0]):
            yield (*value[:at], other, *value[at + 1 :])
    if dataclasses.is_dataclass(value[0]) and not isinstance(value[0], type):
        for name in (name for name, hint in _fields(type(value[0])) if hint is int):
            yield tuple(dataclasses.replace(value[-1], **{name: number}) for number in range(MANY))


def _added(kind: Any) -> Iterator[Any]:
    try:
        yield _any_of(kind)
    except KeyError:  # of a type without an example, such as Any
        return


def _any_of(kind: Any) -> Any:
    """Something of a type."""
    args = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _any_of(args[0])
    if typing.get_origin(kind) is tuple:
        return tuple(map(_any_of, args[:1] if args[-1] is Ellipsis else args))
    if dataclasses.is_dataclass(kind):
        wanted = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
        return kind(**{name: _any_of(hint) for name, hint in _fields(kind) if name in wanted})  # type: ignore[operator, arg-type]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    return {bool: True, int: 1, float: 1.0, str: "x", np.ndarray: np.zeros(1)}[kind]


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind) if field.init)
