"""Objects that outlive a call of the candidate: globals, class attributes, defaults, caches, shared generators."""

from __future__ import annotations

import functools
import inspect
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.core.trail import ChangeKind
from nnx_conformance.observe.flax_versions import NODE, contents
from nnx_conformance.observe.graph import Same, leaves, number, type_name
from nnx_conformance.observe.lines.syntax import FileLine, home_of
from nnx_conformance.observe.lines.trail import Followed, Print
from nnx_conformance.observe.source import Source

#: How deep we look into a value, and at how many items of each container.
DEPTH, ITEMS = 3, 64
SIMPLE = (bool, int, float, complex, str, bytes, type(None))


def outliving(function: Callable[..., Any], source: Source) -> list[Followed]:
    """The objects that outlive a call, each with the name and the line that keep it."""
    followed: list[Followed] = []
    for namespace in _namespaces(function, source):
        filename = str(namespace.get("__file__") or source.file)
        for name, value in list(namespace.items()):
            if not name.startswith("__"):
                followed += _of_global(filename, namespace, name, value, source)
    return [*followed, *_generators()]


def _namespaces(function: Callable[..., Any], source: Source) -> list[dict[str, Any]]:
    """The globals of the function's module, and of the candidate's own modules reachable from it."""
    unwrapped = inspect.unwrap(getattr(function, "func", function))
    own = getattr(unwrapped, "__globals__", None)
    own = _namespace_of(unwrapped, source) if own is None else own  # a class has no `__globals__`
    namespaces: list[dict[str, Any]] = [own] if own is not None else []
    for namespace in namespaces:  # grows during the loop
        for value in list(namespace.values()):
            further = _namespace_of(value, source)
            if further is not None and not any(further is known for known in namespaces):
                namespaces.append(further)
    return namespaces


def _namespace_of(value: Any, source: Source) -> dict[str, Any] | None:
    """The globals of the module that a value is, or that defines it, if the module is the candidate's own."""
    if isinstance(value, types.FunctionType):
        return value.__globals__ if source.owns(value.__code__.co_filename) else None
    module = sys.modules.get(value.__module__) if isinstance(value, type) else value
    file = getattr(module, "__file__", None) if isinstance(module, types.ModuleType) else None
    return vars(module) if isinstance(file, str) and source.owns(file) else None


def _of_global(filename: str, namespace: dict[str, Any], name: str, value: Any, source: Source) -> Iterator[Followed]:
    home = home_of(filename, name)
    if hasattr(value, "cache_info"):
        yield _outliving(f"the cache of `{name}`", home, functools.partial(_cache, value))
    elif isinstance(value, types.FunctionType):
        if source.owns(value.__code__.co_filename):
            yield from _of_function(value)
    elif isinstance(value, type):
        if getattr(value, "__module__", None) == namespace.get("__name__"):
            yield from _of_class(filename, value, source)
    elif home is not None and not isinstance(value, types.ModuleType):
        yield _outliving(f"`{name}` at module level", home, lambda: printed(namespace.get(name)))


def _of_function(function: types.FunctionType) -> Iterator[Followed]:
    code = function.__code__
    place = (code.co_filename, code.co_firstlineno)
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(function.__defaults__ or ()), strict=False))
    for name, value in {**defaults, **(function.__kwdefaults__ or {})}.items():
        if not isinstance(value, SIMPLE):
            yield _outliving(f"the default of `{name}`", place, functools.partial(printed, value))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":  # the cell for `super()` holds the class itself, which we follow as a class
            yield _outliving(f"`{name}` in a closure", place, functools.partial(_cell, cell))
    if vars(function):
        yield _outliving(f"an attribute of `{function.__name__}`", place, lambda: printed(vars(function)))


def _of_class(filename: str, cls: type, source: Source) -> Iterator[Followed]:
    for name, value in list(vars(cls).items()):
        if isinstance(value, types.FunctionType):
            inner = inspect.unwrap(value)  # the kit's spies wrap `__call__`
            if isinstance(inner, types.FunctionType) and source.owns(inner.__code__.co_filename):
                yield from _of_function(inner)
        elif home := home_of(filename, name, cls.__qualname__):
            take = functools.partial(lambda attribute: printed(vars(cls).get(attribute)), name)
            yield _outliving(f"`{cls.__name__}.{name}` at class level", home, take)


def _outliving(name: str, home: FileLine | None, take: Callable[[], Print]) -> Followed:
    return Followed(name, ChangeKind.OUTLIVING, name, home, take)


def _generators() -> Iterator[Followed]:
    for name, take in (("random", random.getstate), ("numpy.random", _numpy_state)):
        yield Followed(name, ChangeKind.CHANCE, name, None, functools.partial(_taken, take))


def _numpy_state() -> object:
    state = np.random.get_state(legacy=False)
    return state["state"]["pos"], state["state"]["key"].tobytes()


def _cache(function: Any) -> Print:
    info = function.cache_info()
    return Print("cache", None, (info.hits, info.misses))


def _cell(cell: types.CellType) -> Print:
    try:
        return printed(cell.cell_contents)
    except ValueError:  # still empty
        return _print(None)


def _taken(take: Callable[[], object]) -> Print:
    return _print(take())


def _print(content: object) -> Print:
    return Print(type(content).__name__, None, content)


def printed(value: Any) -> Print:
    """The print of a value, without running the value's own code."""
    raw = contents(value) if isinstance(value, nnx.Variable) else value
    return Print(type_name(type(value)), number(raw), _content(value, DEPTH))


def _content(value: Any, depth: int) -> object:
    if isinstance(value, SIMPLE):
        return type(value), repr(value)  # as text, a NaN equals itself
    if isinstance(value, nnx.Variable):
        return _content(contents(value), depth)
    if isinstance(value, jax.Array):
        single = number(value)
        return Same(value) if single is None else repr(single)
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.size <= ITEMS else Same(value)
    if depth == 0:
        return Same(value)
    return _of_parts(value, depth - 1)


def _of_parts(value: Any, depth: int) -> object:
    if isinstance(value, NODE):
        return tuple((leaf.path, _content(leaf.value, depth)) for leaf in leaves(value) if not leaf.rng)
    if isinstance(value, dict):
        return len(value), tuple((str(key)[:80], _content(value[key], depth)) for key in list(value)[:ITEMS])
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return len(value), tuple(_content(part, depth) for part in list(value)[:ITEMS])
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if type(value).__module__ == "itertools":
        return repr(value)
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict) and not isinstance(value, (type, types.FunctionType, types.ModuleType)):
        return tuple((name, _content(part, depth)) for name, part in list(own.items())[:ITEMS])
    return Same(value)
