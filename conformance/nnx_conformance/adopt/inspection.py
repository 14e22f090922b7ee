"""Facts about a class, an instance and a frame while tests run."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.adopt.records import CallEffect
from nnx_conformance.core.candidate.ownership import OTHERS
from nnx_conformance.observe.flax_versions import NODE, children, contents, is_tracer

#: The depth to which we read modules inside modules.
DEPTH = 8


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters after the first; none if it has no signature."""
    try:
        return list(inspect.signature(function).parameters)[1:]
    except (TypeError, ValueError):
        return []


def is_foreign(cls: type) -> bool:
    """Whether a class is Flax's, JAX's or the kit's own."""
    return cls.__module__.partition(".")[0] in OTHERS


def is_called(cls: type) -> bool:
    """Whether the instances of a class can be called."""
    # `hasattr(cls, "__call__")` is always true: the metaclass has one.
    return any("__call__" in vars(base) for base in cls.__mro__)


def is_array(leaf: Any) -> bool:
    """Whether a value is an array or a tracer."""
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic)) or is_tracer(leaf)


def structure_of(value: Any, static: bool, depth: int = 0) -> Any:
    """The shapes of a module's state by path; with `static`, its static values too."""
    if isinstance(value, nnx.Variable):
        raw = contents(value)
        return (type(value).__name__, getattr(raw, "shape", None) if is_array(raw) else type(raw).__name__)
    if depth < DEPTH and isinstance(value, NODE):
        return tuple((name, structure_of(child, static, depth + 1)) for name, child in sorted(children(value)))
    if depth < DEPTH and isinstance(value, (list, tuple)):
        return tuple(structure_of(part, static, depth + 1) for part in value)
    if depth < DEPTH and isinstance(value, dict):
        return tuple((str(name), structure_of(part, static, depth + 1)) for name, part in value.items())
    if not static or is_array(value):
        return None
    try:
        hash(value)
    except TypeError:
        return type(value).__name__
    return value


def state_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The paths and contents of a module's Variables and arrays."""
    if isinstance(value, nnx.Variable) or is_array(value):
        yield path, contents(value) if isinstance(value, nnx.Variable) else value
    elif len(path) < DEPTH:
        parts: Iterable[tuple[Any, Any]] = ()
        if isinstance(value, NODE):
            parts = children(value)
        elif isinstance(value, dict):
            parts = value.items()
        elif isinstance(value, (list, tuple)):
            parts = enumerate(value)
        for name, part in parts:
            yield from state_of(part, (*path, str(name)))


def effect_of(before: dict[tuple[str, ...], Any], after: dict[tuple[str, ...], Any]) -> CallEffect:
    """The effect of a call on the state of its instance."""
    if before.keys() != after.keys():
        return CallEffect.ADDS
    return CallEffect.MOVES if any(before[path] is not after[path] for path in before) else CallEffect.NONE


def source_of(cls: type) -> str:
    """The file of the module of a class; empty if it has none."""
    return os.path.abspath(getattr(sys.modules.get(cls.__module__), "__file__", None) or "")


def defined_at(cls: type) -> str:
    """The line that defines a class, such as `tests/test_layer.py:12`."""
    try:
        return f"{_relative(inspect.getsourcefile(cls) or '?')}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return cls.__module__


def _relative(file: str) -> str:
    below = os.path.relpath(file)
    return file if below.startswith("..") else below


def line_of(frame: FrameType | None) -> str:
    """The innermost line outside Flax, JAX and the kit, such as `tests/test_layer.py:12`."""
    while frame is not None:
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if top not in (*OTHERS, "functools", "contextlib"):
            return f"{_relative(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"
