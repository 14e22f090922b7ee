"""Reading a module's graph: every leaf by its path, and the state at one moment as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import NODE, children, contents, is_key, is_tracer, lanes
from nnx_conformance.observation import Slot, Snapshot

#: What holds the Variables of random generators.
RNG = (nnx.Rngs, nnx.RngStream)


def leaves(module: Any) -> list[tuple[str, Any, bool]]:
    """Path, object, and whether it belongs to an Rngs, for all that hangs on a module and is no node itself."""
    return _Walk({}).leaves(module)


#: Gives the parts of a node or container, with the way to each, `.count` or `[0]`.
_Taker = Callable[[Any], list[tuple[str, Any]]]


class _Walk:
    """Going through a graph; how a type is taken apart is found out once, as a run has few."""

    def __init__(self, takers: dict[type, _Taker | None]) -> None:
        self._takers = takers
        self._found: list[tuple[str, Any, bool]] = []
        self._seen: set[int] = set()

    def leaves(self, module: Any) -> list[tuple[str, Any, bool]]:
        self._go([("", module)], "", False)
        return self._found

    def _go(self, parts: list[tuple[str, Any]], path: str, rng: bool) -> None:
        for label, part in parts:
            kind = type(part)
            if kind not in self._takers:
                self._takers[kind] = _taker(kind)
            take = self._takers[kind]
            further = take(part) if take else None
            way = path + label if path else label.removeprefix(".")
            if not further:
                self._found.append((way, part, rng))
            elif id(part) not in self._seen:
                self._seen.add(id(part))
                self._go(further, way, rng or issubclass(kind, RNG))


def _taker(kind: type) -> _Taker | None:
    """What takes instances of a type apart; None for leaves."""
    if issubclass(kind, nnx.Variable):
        return None
    if issubclass(kind, NODE):
        return lambda value: [(f".{name}", part) for name, part in children(value)]
    if issubclass(kind, (list, tuple)):
        return lambda value: [(f"[{index}]", part) for index, part in enumerate(value)]
    if issubclass(kind, Mapping):
        return lambda value: [(f"[{key!r}]", part) for key, part in value.items()]
    if dataclasses.is_dataclass(kind):
        return lambda value: [(f".{name}", part) for name, part in getattr(value, "__dict__", {}).items()]
    return None


def parts(value: Any) -> list[tuple[str, Any]]:
    """What a Variable holds, with the way to each part where it holds a container: `['count']`, `.mean`, `[0]`."""
    if not isinstance(value, (tuple, list, Mapping)) and not dataclasses.is_dataclass(value):
        return [("", value)]
    found = jax.tree_util.tree_flatten_with_path(value)[0]
    return [(jax.tree_util.keystr(way), part) for way, part in found] or [("", value)]


def changed(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """What a Variable holds, each part of it changed; `change` is given the way to it, too."""
    if parts(value)[0][0] == "":
        return change("", value)
    return jax.tree_util.tree_map_with_path(lambda way, part: change(jax.tree_util.keystr(way), part), value)


def variables(module: Any) -> dict[str, nnx.Variable[Any]]:
    """The Variables in a module's graph by path, without those of its Rngs."""
    return {path: leaf for path, leaf, rng in leaves(module) if isinstance(leaf, nnx.Variable) and not rng}


#: A state is looked at as arrays of at most so many elements.
MOST_ELEMENTS = 4096


class Arrays:
    """The arrays met in one run; equal ones are kept once."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, tuple[int, ...], bytes], int] = {}
        self._arrays: list[np.ndarray] = []

    def position(self, value: Any) -> int:
        """Where the array is kept that a value holds; -1 if it holds none, or one that is too large."""
        data = array(value)
        if data is None or data.size > MOST_ELEMENTS:
            return -1
        key = (data.dtype.name, data.shape, data.tobytes())
        if key not in self._positions:
            self._positions[key] = len(self._arrays)
            self._arrays.append(data)
        return self._positions[key]

    def all(self) -> tuple[np.ndarray, ...]:
        """The arrays, by position."""
        return tuple(self._arrays)


def _as_it_is(value: Any) -> Any:
    return value


class Layouts:
    """The layouts met in one run; equal ones are kept once, so that a snapshot is a few numbers.

    Snapshots are taken before and after every call, and most of what they meet, they met before: what hangs only on a
    type, and the number in an array, which never changes, are looked up once.

    Args:
        arrays: keeps the arrays of the state, too; None where single numbers are enough.
    """

    def __init__(self, arrays: Arrays | None = None) -> None:
        self.arrays = arrays
        self._positions: dict[tuple[Slot, ...], int] = {}
        self._slots: dict[tuple[str, type, bool], Slot] = {}
        self._takers: dict[type, _Taker | None] = {}
        self._numbers: dict[int, tuple[jax.Array, float | None]] = {}

    def snapshot(self, module: Any, look: Callable[[Any], Any] = _as_it_is) -> Snapshot:
        """The state of a module now; `look` gives what is seen of each value, as `primal` does during a call."""
        found = _Walk(self._takers).leaves(module)
        layout: list[Slot] = []
        values: list[Any] = []
        for path, leaf, rng in found:
            slot = self._slot(path, look(leaf), rng)
            for label, part in parts(contents(leaf)) if slot.variable else (("", leaf),):
                layout.append(dataclasses.replace(slot, path=path + label) if label else slot)
                values.append(look(part))
        return self.put(tuple(layout), values)

    def put(self, layout: tuple[Slot, ...], values: list[Any]) -> Snapshot:
        """The state that consists of these slots and values."""
        position = self._positions.setdefault(layout, len(self._positions))
        traced = tuple([at for at, value in enumerate(values) if _holds_tracer(value)])
        known, self._numbers = self._numbers, {}
        parts_of = zip(layout, values, strict=True)
        held = tuple([self.arrays.position(_in_variable(*part)) for part in parts_of]) if self.arrays else ()
        return Snapshot(position, tuple([self._number(value, known) for value in values]), traced, held)

    def all(self) -> tuple[tuple[Slot, ...], ...]:
        """The layouts, by position."""
        return tuple(self._positions)

    def _slot(self, path: str, leaf: Any, rng: bool) -> Slot:
        kind = type(leaf)
        key = (path, kind, rng)
        if key not in self._slots:
            slot = _slot(path, leaf, rng)
            if is_tracer(leaf) or (slot.variable and not issubclass(kind, nnx.Variable)):
                return slot  # it may be a hijax Variable, and what that is does not hang on its class
            self._slots[key] = slot
        return self._slots[key]

    def _number(self, value: Any, known: dict[int, tuple[jax.Array, float | None]]) -> float | None:
        if not isinstance(value, jax.Array) or is_tracer(value) or value.is_deleted():
            return number(value)
        # Held on to until the next snapshot, so that no other array can have its id.
        held = known.get(id(value)) or (value, number(value))
        self._numbers[id(value)] = held
        return held[1]


def _slot(path: str, leaf: Any, rng: bool) -> Slot:
    # `isinstance`, not `issubclass`: a hijax Variable is an instance of nnx.Variable, and its class no subclass.
    return Slot(path, type_name(type(leaf)), isinstance(leaf, nnx.Variable), isinstance(leaf, nnx.Param), rng)


def _in_variable(slot: Slot, value: Any) -> Any:
    """A Python number that a Variable holds as an array, as it is after the first compiled call; others as they are."""
    plain = slot.variable and isinstance(value, (int, float)) and number(value) is not None
    return np.asarray(value) if plain and not isinstance(value, bool) else value


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


def array(value: Any) -> np.ndarray | None:
    """What an array of JAX or NumPy holds, copied, or all lanes of one in `vmap`; None for anything else."""
    value = lanes(value) if is_tracer(value) else value
    if is_key(value) or not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return None
    if isinstance(value, jax.Array) and value.is_deleted():
        return None
    data = np.array(value, subok=False)
    return data if data.dtype.kind in "biuf" or data.dtype.name == "bfloat16" else None


def on_device(data: np.ndarray) -> jax.Array:
    """An array of JAX with this content, which it may alias; `jnp.array` compiles something for each new shape."""
    made: jax.Array = jax.device_put(data)
    return made


def _holds_tracer(value: Any) -> bool:
    return is_tracer(value) or (isinstance(value, (list, tuple)) and any(map(is_tracer, value)))
