"""The log of one run: the spies write to it, and it becomes facts."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from nnx_conformance.core.facts import Call, Line, Module, RngsBuilt, Snapshot, Value, Warned, Write
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.trail import Steps
from nnx_conformance.core.wire import DTYPES
from nnx_conformance.observe.flax_versions import is_jit_disabled, is_key, is_tracer, primal, rng_counts
from nnx_conformance.observe.frameworks.tensors import as_numpy, is_tensor
from nnx_conformance.observe.graph import type_name, widened
from nnx_conformance.observe.layouts import Layouts
from nnx_conformance.observe.lines.trail import TrailLog
from nnx_conformance.observe.source import Source
from nnx_conformance.observe.spies.transforms import Uses, around

TEXT_LENGTH = 200


@dataclass(eq=False)
class LoggedModule:
    """A module in the log; `instance` is None if a trace made it, and then only the weak reference `same` knows it."""

    instance: Any
    same: Callable[[], Any]
    name: str
    constructed: bool
    created: bool
    line: Line | None
    start: Snapshot | None
    take: Callable[[], Snapshot]
    framework: str = "nnx"
    mapping: int = -1


class Depth(threading.local):
    """How many calls and constructions of modules, and exports of functions, are running in this thread."""

    calling = 0
    constructing = 0
    exporting = 0


@dataclass(eq=False)
class RunLog:
    """What the spies record of one run, in order.

    Attributes:
        reporting: whether traced calls report themselves when their trace runs, see `observe.spies.reported`.
        ended: whether the run is over; later reports are ignored.
        lock: guards the log, because calls may run in several threads.
    """

    source: Source
    layouts: Layouts = field(default_factory=Layouts)
    modules: list[LoggedModule] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    writes: dict[tuple[object, ...], Write] = field(default_factory=dict)
    warnings: dict[tuple[str, str], Warned] = field(default_factory=dict)
    rngs: list[tuple[Any, tuple[tuple[int, ...], ...], list[int]]] = field(default_factory=list)
    _numbered: dict[tuple[str, str, tuple[int, ...], bytes], int] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    class_names: set[str] = field(default_factory=set)
    uses: Uses = field(default_factory=Uses)
    _positions: dict[int, int] = field(default_factory=dict)
    _foreign: dict[Any, int] = field(default_factory=dict)
    _latest: tuple[Any, int] = (object(), -1)
    trail: TrailLog | None = None
    uncompiled: bool = field(default_factory=is_jit_disabled)
    reporting: bool = False
    ended: bool = False
    depth: Depth = field(default_factory=Depth)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def module(self, instance: Any, *, constructed: bool, created: bool, line: Line | None) -> int:
        """The position of a module in the run; a new module is recorded with its state."""
        with self.lock:
            return self._module(instance, constructed, created, line)

    def _module(self, instance: Any, constructed: bool, created: bool, line: Line | None) -> int:
        position = self._positions.get(id(instance))
        if position is None or self.modules[position].same() is not instance:
            position = self._positions[id(instance)] = len(self.modules)
            take: Callable[[], Snapshot] = functools.partial(self.layouts.snapshot, instance)
            start = take()
            # Kept alive until the run ends, to read its last state; but tracers must not outlive their trace.
            alive, take = (None, lambda: start) if start.traced else (instance, take)
            mapping = around(self.source, self.uses).mapping if constructed else -1
            same, name = weakref.ref(instance), type_name(type(instance))
            self.modules.append(
                LoggedModule(alive, same, name, constructed, created, line, start, take, mapping=mapping)
            )
        return position

    def traced_module(self, name: str, line: Line | None, start: Snapshot, end: Snapshot, *, created: bool) -> int:
        """The position of a new module that stands for one in a trace: we cannot tell which known module that was."""
        with self.lock:
            take: Callable[[], Snapshot] = lambda: end  # noqa: E731 - annotated, for the type of the field
            self.modules.append(LoggedModule(None, _nothing, name, False, created, line, start, take))
            return len(self.modules) - 1

    def foreign(
        self,
        key: Any,
        name: str,
        framework: str,
        *,
        constructed: bool,
        created: bool,
        start: Snapshot | None,
        take: Callable[[], Snapshot],
    ) -> int:
        """The position of a module of another framework, by its key; a new module is recorded."""
        if key not in self._foreign:
            self._foreign[key] = len(self.modules)
            line = self.source.caller()
            self.modules.append(LoggedModule(None, _nothing, name, constructed, created, line, start, take, framework))
            self.class_names.add(name)
        return self._foreign[key]

    def value(self, value: Any) -> int:
        """The position of a returned value in the run's `values`; equal arrays are stored once."""
        latest = self._latest
        if value is latest[0]:
            return latest[1]
        position = self.position(as_value(primal(value)))
        if isinstance(value, jax.Array) and not is_tracer(value):  # immutable, so the same object is the same value
            self._latest = value, position
        return position

    def position(self, value: Value) -> int:
        """The position of a value in the run's `values`; equal arrays are stored once."""
        with self.lock:
            return self._position(value)

    def _position(self, value: Value) -> int:
        if value.array is None:
            self.values.append(value)
            return len(self.values) - 1
        key = (value.type, value.array.dtype.name, value.array.shape, value.array.tobytes())
        if key not in self._numbered:
            self._numbered[key] = len(self.values)
            self.values.append(value)
        return self._numbered[key]

    def called(self, call: Call, steps: Steps | None) -> None:
        """Record a call, and its lines if the run is followed."""
        with self.lock:
            self.calls.append(call)
            if self.trail and steps:
                self.trail.add_call(steps)

    def write(self, write: Write) -> None:
        """Record an assignment once for each line and kind: a loop of a thousand calls writes from one line."""
        key = (write.line, write.target, write.before, write.after, write.augmented)
        self.writes.setdefault(key, write)

    def current_call(self) -> int:
        """The position of the outermost call that is running; -1 if none is."""
        return len(self.calls) if self.depth.calling else -1

    def counts(self) -> list[int | None]:
        """How many keys were drawn so far from each Rngs of the run; None for an Rngs of a trace."""
        return [None if rngs is None else rng_counts(rngs) for rngs, _, _ in self.rngs]

    def built(self) -> tuple[RngsBuilt, ...]:
        """The Rngs of the run, with the number of keys that constructors drew."""
        return tuple(RngsBuilt(seeds, rngs is None, sum(drawn)) for rngs, seeds, drawn in self.rngs)

    def module_facts(self) -> tuple[Module, ...]:
        """The modules of the run, with their last states."""
        return tuple(
            Module(
                name=module.name,
                constructed=module.constructed,
                created=module.created,
                line=module.line,
                start=module.start,
                end=module.take(),
                framework=module.framework,
                mapping=module.mapping,
            )
            for module in self.modules
        )


def _nothing() -> None:
    """None: we know only the class of such a module."""


def as_value(value: Any, kind: str = "") -> Value:
    """A value as a fact. Only real JAX and NumPy arrays count as arrays: `__array__` may lie, so we do not call it.

    Args:
        value: anything.
        kind: the type that a NumPy array had before JAX passed it to a callback.
    """
    if kind:
        return _array_value(kind, _sendable(value), value)
    if is_tracer(value):
        return Value("tracer", None, _text(value))
    if isinstance(value, jax.Array):
        return _array_value("jax.Array", _numpy(value), value)
    if is_tensor(value):
        return _array_value("torch.Tensor", as_numpy(value), value)
    if isinstance(value, (np.ndarray, np.generic)):
        kind = "numpy.ndarray" if isinstance(value, np.ndarray) else "numpy scalar"
        return _array_value(kind, _sendable(value), value)
    return Value(type_name(type(value)), None, _text(value))


def _array_value(kind: str, array: np.ndarray | None, value: Any) -> Value:
    # The text of an array costs more than the rest of a call's record, and its numbers replace it.
    return Value(kind, array, _text(value) if array is None else "")


def _numpy(value: jax.Array) -> np.ndarray | None:
    if value.is_deleted() or is_key(value):
        return None
    return _sendable(np.asarray(value))


def _sendable(value: Any) -> np.ndarray | None:
    data = np.array(value, subok=False)  # copies the buffer itself, without calling a subclass's `__array__`
    if data.dtype.kind == "f" and data.dtype.name not in DTYPES:
        data = data.astype(np.float64)  # long double, which other machines may lack
    data = data.astype(data.dtype.newbyteorder("="))
    return data if data.dtype.name in DTYPES else widened(data)


def _text(value: Any) -> str:
    try:
        return plain(repr(value)[:TEXT_LENGTH])
    except BaseException:  # noqa: BLE001 - the candidate's own __repr__ may do anything
        return f"<{type(value).__name__}>"


def seed_words(seed: Any) -> tuple[int, ...]:
    """The seed of an Rngs: the integer itself, or the words of a key; empty for a tracer."""
    if is_tracer(seed):
        return ()
    if is_key(seed):
        return tuple(int(word) for word in np.asarray(jax.random.key_data(seed)).ravel())
    if isinstance(seed, dict):
        return seed_words(next(iter(seed.values()), 0))
    data = np.asarray(seed)
    return tuple(int(word) for word in data.ravel()[:8]) if data.dtype.kind in "iub" else ()
