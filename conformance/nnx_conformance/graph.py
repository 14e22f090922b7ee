"""Reading a module's graph: every leaf by its path, and the state at one moment as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import NODE, children, contents, is_key, is_tracer
from nnx_conformance.observation import Slot, Snapshot


def leaves(module: Any) -> Iterator[tuple[str, Any, bool]]:
    """Path, object, and whether it belongs to an Rngs, for all that hangs on a module and is no node itself."""
    yield from _walk(module, "", False, set())


def _walk(value: Any, path: str, rng: bool, seen: set[int]) -> Iterator[tuple[str, Any, bool]]:
    if isinstance(value, nnx.Variable) or not (parts := _parts(value)):
        yield path, value, rng
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    rng = rng or isinstance(value, (nnx.Rngs, nnx.RngStream))
    for label, part in parts:
        yield from _walk(part, (path + label).removeprefix("."), rng, seen)


def _parts(value: Any) -> list[tuple[str, Any]]:
    """The parts of a node or container, with the way to each, `.count` or `[0]`; none for a leaf."""
    if isinstance(value, NODE):
        return [(f".{name}", part) for name, part in children(value)]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{name}", part) for name, part in vars(value).items()] if hasattr(value, "__dict__") else []
    return []


def variables(module: Any) -> dict[str, nnx.Variable[Any]]:
    """The Variables in a module's graph by path, without those of its Rngs."""
    return {path: leaf for path, leaf, rng in leaves(module) if isinstance(leaf, nnx.Variable) and not rng}


class Layouts:
    """The layouts met in one run; equal ones are kept once, so that a snapshot is a few numbers."""

    def __init__(self) -> None:
        self._positions: dict[tuple[Slot, ...], int] = {}

    def snapshot(self, module: Any) -> Snapshot:
        """The state of a module now."""
        found = [(path, leaf, rng) for path, leaf, rng in leaves(module)]
        layout = tuple([_slot(path, leaf, rng) for path, leaf, rng in found])
        values = [contents(leaf) if isinstance(leaf, nnx.Variable) else leaf for _, leaf, _ in found]
        traced = tuple([at for at, value in enumerate(values) if _holds_tracer(value)])
        position = self._positions.setdefault(layout, len(self._positions))
        return Snapshot(position, tuple([number(value) for value in values]), traced)

    def all(self) -> tuple[tuple[Slot, ...], ...]:
        """The layouts, by position."""
        return tuple(self._positions)


def _slot(path: str, leaf: Any, rng: bool) -> Slot:
    # `isinstance`, not `issubclass`: a hijax Variable is an instance of nnx.Variable, and its class no subclass.
    return Slot(path, type_name(type(leaf)), isinstance(leaf, nnx.Variable), isinstance(leaf, nnx.Param), rng)


def type_name(kind: type) -> str:
    """A class as users name it: `nnx.Variable`, `jax.Array`, `int`, `solution.Counter`."""
    if issubclass(kind, jax.core.Tracer):
        return "tracer"
    if issubclass(kind, jax.Array) or kind.__name__ == "ArrayImpl":
        return "jax.Array"
    if kind.__module__ == "builtins":
        return kind.__name__
    if kind.__module__.startswith("flax.nnx"):
        return f"nnx.{kind.__name__}"
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__qualname__.split("<locals>.")[-1]


def number(value: Any) -> float | None:
    """The number that a value holds, if it holds exactly one."""
    if isinstance(value, (bool, int, float)):
        return float(value) if abs(value) < 2**1000 else None
    if is_tracer(value) or is_key(value) or not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return None
    if value.size != 1 or (isinstance(value, jax.Array) and value.is_deleted()):
        return None
    data = np.asarray(value)
    return float(data.item()) if data.dtype.kind in "biuf" or data.dtype.name == "bfloat16" else None


def _holds_tracer(value: Any) -> bool:
    return is_tracer(value) or (isinstance(value, (list, tuple)) and any(map(is_tracer, value)))
