"""What the spies write down during one run, and how it becomes facts."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from nnx_conformance.flax_versions import is_jit_disabled, is_key, is_tracer, primal, rng_counts
from nnx_conformance.following import Follower
from nnx_conformance.graph import Layouts, type_name
from nnx_conformance.observation import Call, Line, Module, RngsBuilt, Snapshot, Thing, Warned, Write
from nnx_conformance.plain_text import plain
from nnx_conformance.source import Source
from nnx_conformance.tensors import as_numpy, is_tensor
from nnx_conformance.transforms import Transforms, around
from nnx_conformance.wire import DTYPES

TEXT_LENGTH = 200


@dataclass(eq=False)
class Seen:
    """A module while the run lasts; `instance` is None for one made inside a trace, which only `same` knows."""

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


@dataclass(eq=False)
class Record:
    """The notes of one run, in the order in which things happened."""

    source: Source
    layouts: Layouts = field(default_factory=Layouts)
    modules: list[Seen] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    writes: dict[tuple[object, ...], Write] = field(default_factory=dict)
    warnings: dict[tuple[str, str], Warned] = field(default_factory=dict)
    rngs: list[tuple[Any, tuple[tuple[int, ...], ...], list[int]]] = field(default_factory=list)
    returns: dict[tuple[str, str, tuple[int, ...], bytes], int] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    class_names: set[str] = field(default_factory=set)
    transforms: Transforms = field(default_factory=Transforms)
    _positions: dict[int, int] = field(default_factory=dict)
    _foreign: dict[Any, int] = field(default_factory=dict)
    _latest: tuple[Any, int] = (object(), -1)
    follower: Follower | None = None
    uncompiled: bool = field(default_factory=is_jit_disabled)
    constructing: int = 0
    calling: int = 0

    def module(self, instance: Any, *, constructed: bool, created: bool, line: Line | None) -> int:
        """The position of a module among those of the run; a new one is written down with its state."""
        position = self._positions.get(id(instance))
        if position is None or self.modules[position].same() is not instance:
            position = self._positions[id(instance)] = len(self.modules)
            take: Callable[[], Snapshot] = functools.partial(self.layouts.snapshot, instance)
            start = take()
            # Kept alive until the run ends, to read its last state; not so in a trace, whose tracers must not leak.
            kept, take = (None, lambda: start) if start.traced else (instance, take)
            mapping = around(self.source, self.transforms).mapping if constructed else -1
            same, name = weakref.ref(instance), type_name(type(instance))
            self.modules.append(Seen(kept, same, name, constructed, created, line, start, take, mapping=mapping))
        return position

    def foreign(
        self,
        key: Any,
        framework: str,
        *,
        constructed: bool,
        created: bool,
        line: Line | None,
        start: Snapshot | None,
        take: Callable[[], Snapshot],
    ) -> int:
        """The position of a module of another framework, by its key; a new one is written down."""
        if key not in self._foreign:
            self._foreign[key] = len(self.modules)
            self.modules.append(Seen(None, _nothing, key.__name__, constructed, created, line, start, take, framework))
            self.class_names.add(key.__name__)
        return self._foreign[key]

    def thing(self, value: Any) -> int:
        """The position of a returned value among the run's `things`; equal arrays are kept once."""
        if value is self._latest[0]:
            return self._latest[1]
        position = self._position(as_thing(primal(value)))
        if isinstance(value, jax.Array) and not is_tracer(value):  # immutable, so the same object is the same value
            self._latest = value, position
        return position

    def _position(self, thing: Thing) -> int:
        if thing.array is None:
            self.things.append(thing)
            return len(self.things) - 1
        key = (thing.type, thing.array.dtype.name, thing.array.shape, thing.array.tobytes())
        if key not in self.returns:
            self.returns[key] = len(self.things)
            self.things.append(thing)
        return self.returns[key]

    def write(self, write: Write) -> None:
        """Note an assignment, once for each line and kind: a loop of a thousand calls writes from one line."""
        key = (write.line, write.target, write.before, write.after, write.augmented)
        self.writes.setdefault(key, write)

    def current_call(self) -> int:
        """The position of the outermost call that is under way; -1 outside all."""
        return len(self.calls) if self.calling else -1

    def counts(self) -> list[int | None]:
        """The keys drawn so far from each Rngs of the run."""
        return [None if rngs is None else rng_counts(rngs) for rngs, _, _ in self.rngs]

    def built(self) -> tuple[RngsBuilt, ...]:
        """The Rngs of the run, with the keys that constructions drew."""
        return tuple(RngsBuilt(seeds, rngs is None, sum(drawn)) for rngs, seeds, drawn in self.rngs)

    def module_facts(self) -> tuple[Module, ...]:
        """The modules of the run, with the state they ended in."""
        return tuple(
            Module(
                name=seen.name,
                constructed=seen.constructed,
                created=seen.created,
                line=seen.line,
                start=seen.start,
                end=seen.take(),
                framework=seen.framework,
                mapping=seen.mapping,
            )
            for seen in self.modules
        )


def _nothing() -> None:
    """A module that is known by its class alone."""


def as_thing(value: Any) -> Thing:
    """A value as a fact. Only real JAX and NumPy arrays count as arrays: a lying `__array__` is not asked."""
    if is_tracer(value):
        return Thing("tracer", None, _text(value))
    if isinstance(value, jax.Array):
        return _array_thing("jax.Array", _numpy(value), value)
    if is_tensor(value):
        return _array_thing("torch.Tensor", as_numpy(value), value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _array_thing("numpy.ndarray" if isinstance(value, np.ndarray) else "numpy scalar", _known(value), value)
    return Thing(type_name(type(value)), None, _text(value))


def _array_thing(kind: str, array: np.ndarray | None, value: Any) -> Thing:
    # The text of an array costs more than all else that is noted of a call; its numbers say it, if there are any.
    return Thing(kind, array, _text(value) if array is None else "")


def _numpy(value: jax.Array) -> np.ndarray | None:
    if value.is_deleted() or is_key(value):
        return None
    return _known(np.asarray(value))


def _known(value: Any) -> np.ndarray | None:
    data = np.array(value, subok=False)  # the buffer itself: a subclass is not asked for its `__array__`
    if data.dtype.kind == "f" and data.dtype.name not in DTYPES:
        data = data.astype(np.float64)  # long double, which no other machine need have
    data = data.astype(data.dtype.newbyteorder("="))
    return data if data.dtype.name in DTYPES else None


def _text(value: Any) -> str:
    try:
        return plain(repr(value)[:TEXT_LENGTH])
    except BaseException:  # noqa: BLE001 - the candidate's own __repr__ may do anything
        return f"<{type(value).__name__}>"


def seed_words(seed: Any) -> tuple[int, ...]:
    """What an Rngs was seeded from: the integer itself, or the words of a key."""
    if is_tracer(seed):
        return ()
    if is_key(seed):
        return tuple(int(word) for word in np.asarray(jax.random.key_data(seed)).ravel())
    if isinstance(seed, dict):
        return seed_words(next(iter(seed.values()), 0))
    data = np.asarray(seed)
    return tuple(int(word) for word in data.ravel()[:8]) if data.dtype.kind in "iub" else ()
