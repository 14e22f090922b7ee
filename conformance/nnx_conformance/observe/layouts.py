"""Snapshots of a module's state, as plain data: equal layouts and equal arrays of a run are stored once."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.core.facts import Slot, Snapshot
from nnx_conformance.observe.flax_versions import contents, is_tracer
from nnx_conformance.observe.graph import Takers, Walk, array, number, parts, type_name

#: Larger arrays of a state are not recorded.
MOST_ELEMENTS = 4096
#: Types whose instances never change, unless they are deleted.
IMMUTABLE = (jax.Array, bool, int, float, str, bytes, type(None))


class Arrays:
    """The arrays in the states of one run; equal arrays are stored once."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, tuple[int, ...], bytes], int] = {}
        self._arrays: list[np.ndarray] = []

    def position(self, value: Any) -> int:
        """The position of the array in a value; -1 if it holds none, or one that is too large."""
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


class Layouts:
    """The layouts of the states of one run; equal ones are stored once, so that a snapshot is a few numbers.

    A run takes snapshots before and after every call, and most of each equals the last one. So we cache what depends on
    only a type, and the number in an array, which never changes.

    Args:
        arrays: stores the arrays of the state, too; None if single numbers are enough.
    """

    def __init__(self, arrays: Arrays | None = None) -> None:
        self.arrays = arrays
        self._positions: dict[tuple[Slot, ...], int] = {}
        self._slots: dict[tuple[str, type, bool], Slot] = {}
        self._takers: Takers = {}
        self._numbers: dict[int, tuple[jax.Array, float | None]] = {}
        self._immutable: dict[type, bool] = {}
        self._last: tuple[tuple[Slot, ...], list[Any], Snapshot] | None = None
        self._lock = threading.Lock()  # a candidate may call its modules in several threads

    def snapshot(self, module: Any, look: Callable[[Any], Any] = lambda value: value) -> Snapshot:
        """The state of a module now; `look` maps each value to the one to record, as `primal` does during a call."""
        return self.put(*self.read(module, look))

    def read(self, module: Any, look: Callable[[Any], Any] = lambda value: value) -> tuple[tuple[Slot, ...], list[Any]]:
        """The slots of a module's state, and the value in each."""
        layout: list[Slot] = []
        values: list[Any] = []
        for path, leaf, rng, _ in Walk(module, takers=self._takers).leaves:
            slot = self._slot(path, look(leaf), rng)
            for label, part in parts(contents(leaf)) if slot.variable else (("", leaf),):
                layout.append(dataclasses.replace(slot, path=path + label) if label else slot)
                values.append(look(part))
        return tuple(layout), values

    def put(self, layout: tuple[Slot, ...], values: list[Any]) -> Snapshot:
        """The snapshot of these slots and values."""
        with self._lock:
            if self._last and layout == self._last[0] and self._the_same(values, self._last[1]):
                return self._last[2]
            snapshot = self._put(layout, values)
            self._last = None if snapshot.traced else (layout, values, snapshot)  # a tracer must not outlive its trace
            return snapshot

    def _put(self, layout: tuple[Slot, ...], values: list[Any]) -> Snapshot:
        position = self._positions.setdefault(layout, len(self._positions))
        traced = tuple([position for position, value in enumerate(values) if _holds_tracer(value)])
        known, self._numbers = self._numbers, {}
        slots = zip(layout, values, strict=True)
        arrays = tuple([self.arrays.position(_in_variable(*slot)) for slot in slots]) if self.arrays else ()
        return Snapshot(position, tuple([self._number(value, known) for value in values]), traced, arrays)

    def all(self) -> tuple[tuple[Slot, ...], ...]:
        """The layouts, by position."""
        return tuple(self._positions)

    def _the_same(self, values: list[Any], others: list[Any]) -> bool:
        """Whether they are the same immutable objects, as is common before a call and after the last one."""
        return all(
            value is other and self._is_immutable(value) and not (hasattr(value, "is_deleted") and value.is_deleted())
            for value, other in zip(values, others, strict=True)
        )

    def _is_immutable(self, value: Any) -> bool:
        kind = type(value)
        if kind not in self._immutable:
            self._immutable[kind] = issubclass(kind, IMMUTABLE) and not issubclass(kind, jax.core.Tracer)
        return self._immutable[kind]

    def _slot(self, path: str, leaf: Any, rng: bool) -> Slot:
        kind = type(leaf)
        key = (path, kind, rng)
        if key not in self._slots:
            slot = _slot(path, leaf, rng)
            if is_tracer(leaf) or (slot.variable and not issubclass(kind, nnx.Variable)):
                return slot  # it may be a hijax Variable, whose slot does not depend only on its class
            self._slots[key] = slot
        return self._slots[key]

    def _number(self, value: Any, known: dict[int, tuple[jax.Array, float | None]]) -> float | None:
        if not isinstance(value, jax.Array) or is_tracer(value) or value.is_deleted():
            return number(value)
        # Kept alive until the next snapshot, so that no other array can get its id.
        self._numbers[id(value)] = known.get(id(value)) or (value, number(value))
        return self._numbers[id(value)][1]


def _slot(path: str, leaf: Any, rng: bool) -> Slot:
    # `isinstance`, not `issubclass`: a hijax Variable is an instance of nnx.Variable, and its class no subclass.
    return Slot(path, type_name(type(leaf)), isinstance(leaf, nnx.Variable), isinstance(leaf, nnx.Param), rng)


def _in_variable(slot: Slot, value: Any) -> Any:
    """A Python number in a Variable as the array that a compiled call makes of it; other values unchanged."""
    plain = slot.variable and isinstance(value, (int, float)) and number(value) is not None
    return np.asarray(value) if plain and not isinstance(value, bool) else value


def _holds_tracer(value: Any) -> bool:
    return is_tracer(value) or (isinstance(value, (list, tuple)) and any(map(is_tracer, value)))
