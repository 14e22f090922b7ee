"""Lost writes: a plain call writes to a copy of a Variable, and the module never gets the new value.

An unchanged Variable proves nothing: it may be a constant, or a schedule at rest. So we watch writes. We put a mark
with the path into each Variable's metadata. Every copy keeps the mark: those of `jax.jit` and other plain transforms,
which rebuild a module from its leaves, and of `nnx.split` and `nnx.merge`, `nnx.clone`, `copy.deepcopy`. A marked
Variable that is not the module's own is a copy. We record its writes in the attribute in which Flax stores contents.
Inside a trace, a callback records the write when the compiled code runs. A branch that is not taken, a function that is
only evaluated for its shapes, or a second trace writes nothing.

A write is lost if the copy's last write changed its value, the module's own Variable has its old value after the call,
and the new value is neither in the state that the call returned nor elsewhere in the module. So these pass:

- `nnx.jit`, `nnx.scan`, `nnx.split_rngs`, `nnx.remat` and so on, which write to copies and then update the module;
- state that the code passes back itself: with `nnx.update`, by assignment, or as a return value;
- a second pass over a copy that drops its statistics, after a first pass that keeps them, as for a teacher;
- scratch Variables that the call creates, and a copy that gets its old value back;
- a Param in a copy that the code makes itself (`nnx.clone`, `nnx.merge`): merged adapters and look-ahead steps do that;
- random streams: other laws check whether they advance.

A look-ahead that drops its statistics on purpose looks like a mistake. The trait `discards_updates` declares it.
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

#: `LostWrite.through` of a write that is lost without a copy.
ROUNDED = "rounding"


@dataclass(eq=False)
class _Copy:
    """A copy of a Variable. We keep it alive so that its id stays unique.

    Attributes:
        start: its contents when it was made.
        writes: the number of writes in traces and outside.
        last: the number of the last write that ran, whether it changed the contents, and the new contents.
        write_line: where it was last written.
        transform_line: where the function that writes it is passed to the transform that made it.
    """

    variable: Any
    maker: Maker
    start: Any
    writes: int = 0
    last: tuple[int, bool, Any] = (0, False, None)
    write_line: FileLine | None = None
    transform_line: FileLine | None = None

    def note(self, number: int, changed: Any, *leaves: Any) -> None:
        """Record that write `number` ran. Under `vmap` it runs once per lane; one lane that changed is enough."""
        if number >= self.last[0]:
            before = number == self.last[0] and self.last[1]
            self.last = number, bool(np.any(changed)) or before, [np.asarray(leaf) for leaf in leaves]


@dataclass(eq=False)
class WriteWatch:
    """Watches one call of a module, whose Variables it marks.

    Attributes:
        source: the candidate's files.
        module: the module to call.
        in_traces: whether to record writes in traces, which takes callbacks that some transforms forbid.
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
        """Record the writes of the block."""
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
            # Code may have imported `nnx.merge` under any name; on each Flax version it looks up `unflatten` here.
            patches.replace(graph, "unflatten", self._merging(vars(graph)["unflatten"]))
            yield
            jax.effects_barrier()  # type: ignore[no-untyped-call]

    def lost(self, outputs: Any) -> tuple[LostWrite, ...]:
        """The first lost write of each Variable in the call that returned these outputs."""
        now = {path: numbers(contents(variable)) for path, variable in variables(self.module).items()}
        still = {path for path, old in self._before.items() if path in now and same(now[path], old)}
        lost = {path: rounded for path, rounded in self._rounded.items() if path in still}
        for copy in list(self._copies.values()):
            path, (_, changed, written) = path_of(copy.variable), copy.last
            if path not in still or path in lost or not changed or self._on_purpose(copy):
                continue
            # A call may reset a cache and fill it with the same values: then the written value is there, unchanged.
            if not (same(now[path], written) or self._kept(path, written, outputs)):
                lost[path] = self._described(copy, path, written)
        return tuple(lost.values())

    def _on_purpose(self, copy: _Copy) -> bool:
        return is_param(copy.variable) and copy.maker.name in EXPLICIT

    def _kept(self, path: str, written: list[np.ndarray], outputs: Any) -> bool:
        """Whether the written value is in state that the call returned, or elsewhere in the module."""
        returned, own = Walk(outputs, DEEP, "outputs").leaves, Walk(self.module, DEEP).leaves
        for leaf in (*returned, *own):
            value = leaf.value
            if id(value) in self._own:
                value = contents(value) if not leaf.path.endswith(path) else None
            elif hasattr(value, "get_metadata") or isinstance(value, nnx.Variable):  # before 0.11, a VariableState
                if path_of(value) == path and not same(numbers(content(value)), self._before[path]):
                    return True
                value = content(value)
            named = path.rpartition(".")[2] in leaf.path
            comparable = named or (leaf in own and written[0].size > 1)  # single numbers may be equal by chance
            if value is not None and comparable and same(numbers(value), written):
                return True
        return False

    def _described(self, copy: _Copy, path: str, written: list[np.ndarray]) -> LostWrite:
        transform_line, call_line = copy.transform_line, copy.maker.line
        line = self._line(transform_line or call_line)
        old = ", ".join(map(array_text, self._before[path]))
        kind = type_name(type(copy.variable))
        called = self._line(call_line) if transform_line not in (None, call_line) else None
        texts = old, ", ".join(map(array_text, written))
        return LostWrite(plain(path), kind, copy.maker.name, *texts, line, called, self._line(copy.write_line))

    def _line(self, line: FileLine | None) -> Any:
        return self.source.line(*line) if line else None

    def created(self, variable: Any, value: Any) -> None:
        """Record a new Variable, which may be a copy."""
        self._copies[id(variable)] = _Copy(variable, self._maker(sys._getframe(2)), value)

    def written(self, variable: Any, old: Any, value: Any) -> None:
        """Record a write, just before it happens."""
        if id(variable) in self._own or path_of(variable) is None or not is_content(value):
            return
        copy = self._copies.setdefault(id(variable), _Copy(variable, Maker(), old))
        copy.writes += 1
        frame = owned_frame(sys._getframe(2), self.source)
        copy.write_line = (frame.f_code.co_filename, frame.f_lineno) if frame else None
        copy.transform_line = copy.transform_line or self._transform_line(copy.maker, frame)
        if value is copy.start:
            copy.note(copy.writes, False)
            return
        leaves, olds = jax.tree.leaves(value), jax.tree.leaves(copy.start)
        alike = is_content(copy.start) and len(leaves) == len(olds)
        shapes = [np.shape(leaf) for leaf in leaves], [np.shape(leaf) for leaf in olds]
        if not any(map(is_tracer, (*leaves, *olds))):
            copy.note(copy.writes, not alike or not same(numbers(leaves), numbers(olds)), *leaves)
        elif self.in_traces and alike and shapes[0] == shapes[1]:
            changed = [jnp.any((a != b) & ~((a != a) & (b != b))) for a, b in zip(leaves, olds, strict=True)]
            note = functools.partial(copy.note, copy.writes)
            jax.debug.callback(note, jnp.any(jnp.stack(changed)), *leaves)

    def _maker(self, frame: FrameType | None) -> Maker:
        between: list[FrameType] = []
        while frame is not None and not self.source.owns(frame.f_code.co_filename):
            between.append(frame)
            frame = frame.f_back
        if frame is None:
            return Maker()
        name = next(filter(None, map(name_of, reversed(between))), "")
        return Maker(name, (frame.f_code.co_filename, frame.f_lineno), frame.f_code)

    def _transform_line(self, maker: Maker, frame: FrameType | None) -> FileLine | None:
        """The line that passes the function which writes a copy to the transform that made the copy."""
        inner: FrameType | None = None
        while frame is not None and frame.f_code is not maker.code:
            inner = frame if self.source.owns(frame.f_code.co_filename) else inner
            frame = frame.f_back
        if frame is None or inner is None or maker.name in EXPLICIT or not maker.name:
            return None
        code, called = inner.f_code, maker.line[1] if maker.line else 0
        return handed_to(code.co_filename, code.co_firstlineno, code.co_name, maker.name, called)

    def _merging(self, original: Any) -> Any:
        """`unflatten`, patched: a merge may reuse Variables of the state, and then counts as their maker."""

        @functools.wraps(original)
        def unflatten(*arguments: Any, **options: Any) -> Any:
            result = original(*arguments, **options)
            maker = self._maker(sys._getframe(1))
            if maker.name in EXPLICIT:
                module = result[0] if isinstance(result, tuple) else result  # before 0.10, beside an index
                for variable in variables(module).values():
                    copy = self._copies.get(id(variable))
                    if copy is None and id(variable) not in self._own:  # before 0.10, `made` does not record it
                        copy = self._copies[id(variable)] = _Copy(variable, maker, contents(variable))
                    if copy is not None and not copy.writes:
                        copy.maker = maker
            return result

        return unflatten

    def _setting(self, original: Any) -> Any:
        """`Variable.__setitem__`, patched: an integer may lose the fraction that is written to it."""

        @functools.wraps(original)
        def set_item(variable: Any, key: Any, value: Any) -> Any:
            path, old = path_of(variable), contents(variable)
            result = original(variable, key, value)
            if id(variable) in self._own and path and is_rounded(old, contents(variable), value):
                frame = owned_frame(sys._getframe(1), self.source)
                line = (frame.f_code.co_filename, frame.f_lineno) if frame else None
                texts = array_text(np.asarray(old)), array_text(np.asarray(value))
                self._rounded[path] = LostWrite(
                    plain(path), type_name(type(variable)), ROUNDED, *texts, self._line(line), None, None
                )
            return result

        return set_item


class _Stored:
    """Replaces the attribute in which Flax stores a Variable's contents, and reports each write to the watch."""

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
            self._watch.created(variable, value)
        else:
            self._watch.written(variable, old, value)
        if self._slot is not None:
            self._slot.__set__(variable, value)
        else:
            vars(variable)[STORED] = value
