"""Writes that are lost: what a call in plain Python writes into copies of the module's Variables, and never hands back.

A Variable that stands still says nothing, for constants may be Variables, and a schedule may be at rest. What says
something is a write. Each Variable of the module gets a mark with its path into its metadata, which every way of
copying takes along: `jax.jit` and the other plain transforms, which rebuild a module from its leaves, `nnx.split` and
`nnx.merge`, `nnx.clone`, `copy.deepcopy`. A Variable that has a mark and is none of the module's own is a copy of the
one there, and everything that is stored in it is noted where Flax itself stores it. What is written inside a trace is
noted by a callback, thus when the compiled code runs and not when it is traced: a branch that is not taken, a function
that is only evaluated for its shapes, or one that is traced twice writes nothing by that.

An update is lost if the last write into a copy left another value there than the one it was made with, the module's
own Variable is what it was before the call, and the new value is nowhere else: not in what the call returned as state,
and not elsewhere in the module. So none of these is accused:

- the inside of `nnx.jit`, `nnx.scan`, `nnx.split_rngs`, `nnx.remat` and so on, which write into copies, too, and then
  update the module;
- state that is handed back by hand, with `nnx.update`, or assigned, or returned by the call;
- a second pass over a copy whose statistics are thrown away beside a first one whose are kept, as for a teacher;
- scratch Variables, which the call makes itself, and a copy that gets back the value that it had;
- a Param that is written in a copy which the code itself asked for (`nnx.clone`, `nnx.merge`): merged adapters and
  steps ahead are computed like that;
- random streams: whether they advance is asked by other laws.

A look-ahead whose statistics are dropped on purpose looks like a mistake: the trait `discards_updates` declares it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import LostWrite
from nnx_conformance.contracts.module_laws.execution.runners.marks import EXPLICIT, MARK, Maker, Mark, name_of, path_of
from nnx_conformance.contracts.module_laws.execution.runners.values import (
    content,
    is_content,
    is_rounded,
    numbers,
    same,
)
from nnx_conformance.contracts.module_laws.execution.snapshots import DEEP, is_param, is_random, variables
from nnx_conformance.core.case import array_text
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.flax_versions import STORED, contents, is_tracer, metadata
from nnx_conformance.observe.graph import Walk, type_name
from nnx_conformance.observe.lines.syntax import FileLine, handed_to
from nnx_conformance.observe.source import Source, owned_frame
from nnx_conformance.observe.spies.patches import Patches

#: How an update is lost without a copy.
ROUNDED = "rounding"


@dataclass(eq=False)
class _Copy:
    """A copy of a Variable, kept alive: its identity distinguishes it.

    `last` is the number of the last write that really happened, with whether it left another value, and that.
    """

    variable: Any
    maker: Maker
    start: Any
    writes: int = 0
    last: tuple[int, bool, Any] = (0, False, None)
    wrote: FileLine | None = None
    transform: FileLine | None = None

    def note(self, number: int, changed: Any, *leaves: Any) -> None:
        """Note that a write happened; of lanes, one that changed counts."""
        if number >= self.last[0]:
            before = number == self.last[0] and self.last[1]
            self.last = number, bool(np.any(changed)) or before, [np.asarray(leaf) for leaf in leaves]


@dataclass(eq=False)
class WriteWatch:
    """Watches one call of a module, which it marks.

    Attributes:
        source: knows the candidate's lines.
        module: the one that is to be called.
        in_traces: whether writes in traces are noted; some transforms forbid the callbacks that this takes.
    """

    source: Source
    module: Any
    in_traces: bool = True
    _own: dict[int, Any] = field(default_factory=dict)
    _before: dict[str, list[np.ndarray]] = field(default_factory=dict)
    _copies: dict[int, _Copy] = field(default_factory=dict)
    _rounded: dict[str, LostWrite] = field(default_factory=dict)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what the block does."""
        for path, variable in variables(self.module).items():
            if id(variable) not in self._own and not is_random(variable):
                metadata(variable)[MARK] = Mark(path)
                self._before[path] = numbers(contents(variable))
            self._own[id(variable)] = variable
        graph = sys.modules[nnx.merge.__module__]
        with Patches() as patches:
            patches.replace(nnx.Variable, STORED, _Stored(vars(nnx.Variable).get(STORED), self))
            if item := vars(nnx.Variable).get("__setitem__"):
                patches.replace(nnx.Variable, "__setitem__", self._setting(item))
            # Whatever name `nnx.merge` was imported by, it looks this one up, on each Flax.
            patches.replace(graph, "unflatten", self._merging(vars(graph)["unflatten"]))
            yield
            jax.effects_barrier()  # type: ignore[no-untyped-call]

    def lost(self, outputs: Any) -> tuple[LostWrite, ...]:
        """The updates that were lost in the call that returned these outputs, the first of each Variable."""
        now = {path: numbers(contents(variable)) for path, variable in variables(self.module).items()}
        still = {path for path, old in self._before.items() if path in now and same(now[path], old)}
        lost = {path: rounded for path, rounded in self._rounded.items() if path in still}
        for copy in list(self._copies.values()):
            path, (_, changed, written) = path_of(copy.variable), copy.last
            if path not in still or path in lost or not changed or self._on_purpose(copy):
                continue
            if not self._kept(path, written, outputs):
                lost[path] = self._described(copy, path, written)
        return tuple(lost.values())

    def _on_purpose(self, copy: _Copy) -> bool:
        return is_param(copy.variable) and copy.maker.name in EXPLICIT

    def _kept(self, path: str, written: list[np.ndarray], outputs: Any) -> bool:
        """Whether what was written is in state that the call returned, or elsewhere in the module."""
        returned, held = Walk(outputs, DEEP, "outputs").leaves, Walk(self.module, DEEP).leaves
        for leaf in (*returned, *held):
            value = leaf.value
            if id(value) in self._own:
                value = contents(value) if not leaf.path.endswith(path) else None
            elif hasattr(value, "get_metadata") or isinstance(value, nnx.Variable):  # before 0.11, a VariableState
                if path_of(value) == path and not same(numbers(content(value)), self._before[path]):
                    return True
                value = content(value)
            named = path.rpartition(".")[2] in leaf.path
            telling = named or (leaf in held and written[0].size > 1)  # a single number may be another by chance
            if value is not None and telling and same(numbers(value), written):
                return True
        return False

    def _described(self, copy: _Copy, path: str, written: list[np.ndarray]) -> LostWrite:
        line = self._line(copy.transform or copy.maker.place)
        old = ", ".join(map(array_text, self._before[path]))
        kind = type_name(type(copy.variable))
        called = self._line(copy.maker.place) if copy.transform not in (None, copy.maker.place) else None
        texts = old, ", ".join(map(array_text, written))
        return LostWrite(plain(path), kind, copy.maker.name, *texts, line, called, self._line(copy.wrote))

    def _line(self, place: FileLine | None) -> Any:
        return self.source.line(*place) if place else None

    def made(self, variable: Any, value: Any) -> None:
        """A Variable comes to be: perhaps a copy."""
        self._copies[id(variable)] = _Copy(variable, self._maker(sys._getframe(2)), value)

    def written(self, variable: Any, old: Any, value: Any) -> None:
        """A Variable is about to hold another value."""
        if id(variable) in self._own or path_of(variable) is None or not is_content(value):
            return
        copy = self._copies.setdefault(id(variable), _Copy(variable, Maker(), old))
        copy.writes += 1
        frame = owned_frame(sys._getframe(2), self.source)
        copy.wrote = (frame.f_code.co_filename, frame.f_lineno) if frame else None
        copy.transform = copy.transform or self._transform(copy.maker, frame)
        if value is copy.start:
            copy.note(copy.writes, False)
            return
        leaves, olds = jax.tree.leaves(value), jax.tree.leaves(copy.start)
        alike = is_content(copy.start) and len(leaves) == len(olds)
        shapes = [np.shape(leaf) for leaf in leaves], [np.shape(leaf) for leaf in olds]
        if not any(map(is_tracer, (*leaves, *olds))):
            copy.note(copy.writes, not alike or not same(numbers(leaves), numbers(olds)), *leaves)
        elif self.in_traces and alike and shapes[0] == shapes[1]:
            apart = [jnp.any((a != b) & ~((a != a) & (b != b))) for a, b in zip(leaves, olds, strict=True)]
            note = functools.partial(copy.note, copy.writes)
            jax.debug.callback(note, jnp.any(jnp.stack(apart)), *leaves)

    def _maker(self, frame: FrameType | None) -> Maker:
        between: list[FrameType] = []
        while frame is not None and not self.source.owns(frame.f_code.co_filename):
            between.append(frame)
            frame = frame.f_back
        if frame is None:
            return Maker()
        name = next(filter(None, map(name_of, reversed(between))), "")
        return Maker(name, (frame.f_code.co_filename, frame.f_lineno), frame.f_code)

    def _transform(self, maker: Maker, frame: FrameType | None) -> FileLine | None:
        """Where the function in which a copy is written was handed to the transform that made it."""
        inner: FrameType | None = None
        while frame is not None and frame.f_code is not maker.code:
            inner = frame if self.source.owns(frame.f_code.co_filename) else inner
            frame = frame.f_back
        if frame is None or inner is None or maker.name in EXPLICIT or not maker.name:
            return None
        code, called = inner.f_code, maker.place[1] if maker.place else 0
        return handed_to(code.co_filename, code.co_firstlineno, code.co_name, maker.name, called)

    def _merging(self, original: Any) -> Any:
        """A merge makes no Variables where the state holds some: then it is what made their copies a module."""

        @functools.wraps(original)
        def unflatten(*arguments: Any, **options: Any) -> Any:
            result = original(*arguments, **options)
            maker = self._maker(sys._getframe(1))
            if maker.name in EXPLICIT:
                module = result[0] if isinstance(result, tuple) else result  # before 0.10, beside an index
                for variable in variables(module).values():
                    copy = self._copies.get(id(variable))
                    if copy is None and id(variable) not in self._own:  # before 0.10, nothing shows it coming
                        copy = self._copies[id(variable)] = _Copy(variable, maker, contents(variable))
                    if copy is not None and not copy.writes:
                        copy.maker = maker
            return result

        return unflatten

    def _setting(self, original: Any) -> Any:
        """`variable[key] = value`, by which an integer may stay what it was although a fraction was added."""

        @functools.wraps(original)
        def set_item(variable: Any, key: Any, value: Any) -> Any:
            path, old = path_of(variable), contents(variable)
            result = original(variable, key, value)
            if id(variable) in self._own and path and is_rounded(old, contents(variable), value):
                frame = owned_frame(sys._getframe(1), self.source)
                place = (frame.f_code.co_filename, frame.f_lineno) if frame else None
                texts = array_text(np.asarray(old)), array_text(np.asarray(value))
                self._rounded[path] = LostWrite(
                    plain(path), type_name(type(variable)), ROUNDED, *texts, self._line(place), None, None
                )
            return result

        return set_item


class _Stored:
    """In the place of the attribute in which Flax keeps a Variable's contents: reports what is stored there."""

    def __init__(self, slot: Any, watch: WriteWatch) -> None:
        self._slot = slot
        self._watch = watch

    def __get__(self, variable: Any, owner: Any = None) -> Any:
        if variable is None:
            return self
        if self._slot is not None:
            return self._slot.__get__(variable, owner)
        try:
            return vars(variable)[STORED]
        except KeyError:
            raise AttributeError(STORED) from None

    def __set__(self, variable: Any, value: Any) -> None:
        try:
            old = self.__get__(variable)
        except AttributeError:
            self._watch.made(variable, value)
        else:
            self._watch.written(variable, old, value)
        if self._slot is not None:
            self._slot.__set__(variable, value)
        else:
            vars(variable)[STORED] = value
