"""Objects that outlive a call of the candidate: globals, class attributes, defaults, caches, shared generators."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import inspect
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.core.trail import ChangeKind
from nnx_conformance.observe.flax_versions import NODE, contents
from nnx_conformance.observe.graph import Same, Walk, WalkOptions, leaves, number, type_name
from nnx_conformance.observe.lines.syntax import FileLine, home_of
from nnx_conformance.observe.lines.trail import Followed, Print
from nnx_conformance.observe.source import Source

#: How deep we look into a value, and at how many items of each container.
DEPTH, ITEMS = 3, 64
CLASS_LEVEL = "at class level"
SIMPLE = (bool, int, float, complex, str, bytes, type(None))


def outliving(function: Callable[..., Any], source: Source) -> list[Followed]:
    """The objects that outlive a call, each with the name and the line that keep it."""
    own = inspect.unwrap(getattr(function, "func", function))
    followed = list(_of_function(own)) if isinstance(own, types.FunctionType) else []
    for namespace in _namespaces(function, source):
        filename = str(namespace.get("__file__") or source.file)
        for name, value in list(namespace.items()):
            if not name.startswith("__"):
                followed += _of_global(filename, namespace, name, value, source)
    return [*followed, *_generators()]


def of_classes(classes: Iterable[type], source: Source) -> list[Followed]:
    """What some classes keep for all their instances, in their bodies, and in defaults and closures of methods."""
    files = ((cls, _file_of(cls)) for cls in classes)
    return [each for cls, file in files if file and source.owns(file) for each in _of_class(file, cls, source)]


def _file_of(cls: type) -> str | None:
    """The file of a class; a module that was run without being entered in `sys.modules` is known by its functions."""
    functions = (inspect.unwrap(value) for value in vars(cls).values() if isinstance(value, types.FunctionType))
    own = (function.__code__.co_filename for function in functions if isinstance(function, types.FunctionType))
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or next(own, None)


def at_class_level(classes: Iterable[type], source: Source) -> list[Followed]:
    """What the bodies of some classes keep for all their instances."""
    return [each for each in of_classes(classes, source) if each.name.endswith(CLASS_LEVEL)]


def keeper(followed: Iterable[Followed], wanted: list[Any]) -> Followed | None:
    """What keeps one of these objects, at whatever depth."""
    objects = {id(value) for value in wanted}
    for each in followed:
        if each.value is not None:
            walk = Walk(each.value(), WalkOptions(sets=True, depth=DEPTH), each.name)
            held = (*(leaf.value for leaf in walk.leaves), *(node for _, node in walk.nodes))
            if any(id(value) in objects for value in held):
                return each
    return None


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
        yield _outliving(f"the cache of `{name}`", home, lambda: _cached(value), lambda: _cache(value))
    elif isinstance(value, types.FunctionType):
        if source.owns(value.__code__.co_filename):
            yield from _of_function(value)
    elif isinstance(value, type):
        if getattr(value, "__module__", None) == namespace.get("__name__"):
            yield from _of_class(filename, value, source)
    elif home is not None and not isinstance(value, types.ModuleType):
        yield _outliving(f"`{name}` at module level", home, lambda: namespace.get(name))


def _of_function(function: types.FunctionType) -> Iterator[Followed]:
    code = function.__code__
    place = (code.co_filename, code.co_firstlineno)
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(function.__defaults__ or ()), strict=False))
    for name, value in {**defaults, **(function.__kwdefaults__ or {})}.items():
        if not isinstance(value, SIMPLE):
            yield _outliving(f"the default of `{name}`", place, functools.partial(_itself, value))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":  # the cell for `super()` holds the class itself, which we follow as a class
            outer = _outliving(f"`{name}` in a closure", place, functools.partial(_cell, cell))
            yield dataclasses.replace(outer, home=None)  # its line is around the function, wherever that is
    if vars(function):
        yield _outliving(f"an attribute of `{function.__name__}`", place, lambda: vars(function))


def _of_class(filename: str, cls: type, source: Source) -> Iterator[Followed]:
    for name, value in list(vars(cls).items()):
        if isinstance(value, types.FunctionType):
            inner = inspect.unwrap(value)  # the kit's spies wrap `__call__`
            if isinstance(inner, types.FunctionType) and source.owns(inner.__code__.co_filename):
                yield from _of_function(inner)
        elif home := home_of(filename, name, cls.__qualname__):
            yield _outliving(f"`{cls.__name__}.{name}` {CLASS_LEVEL}", home, functools.partial(vars(cls).get, name))


def _outliving(
    name: str, home: FileLine | None, value: Callable[[], Any], take: Callable[[], Print] | None = None
) -> Followed:
    return Followed((name, home), ChangeKind.OUTLIVING, name, home, take or (lambda: printed(value())), value)


def _itself(value: Any) -> Any:
    return value


def _generators() -> Iterator[Followed]:
    for name, take in (("random", random.getstate), ("numpy.random", _numpy_state)):
        yield Followed(name, ChangeKind.CHANCE, name, None, functools.partial(_taken, take))


def _numpy_state() -> object:
    state = np.random.get_state(legacy=False)
    return state["state"]["pos"], state["state"]["key"].tobytes()


def _cache(function: Any) -> Print:
    info = function.cache_info()
    return Print("cache", None, (info.hits, info.misses))


def _cached(function: Any) -> list[Any]:
    """What a cache of functools has kept: with a bound, in links of a list that only the garbage collector shows."""
    kept = [part for part in gc.get_referents(function) if isinstance(part, dict)]
    return [kept, *(gc.get_referents(*part.values()) for part in kept)]


def _cell(cell: types.CellType) -> Any:
    with contextlib.suppress(ValueError):  # still empty
        return cell.cell_contents


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
