"""Calls inside traces that no run without compilation shows: each reports what it does when its trace runs.

A callback in the trace gives the state before and after the call, and its output, to the log. So it does not matter in
which thread, through which transforms, or by which executable the trace runs. `custom_vmap` keeps the lanes of a `vmap`
together, those of the outermost first, and what is the same for all lanes apart.

We tried `io_callback` for all of it: `jax.checkpoint` refuses it under a derivative, and takes `jax.debug.callback`.
Only an intervention needs what a callback returns.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.experimental import io_callback

from nnx_conformance.core.facts import Call, Slot, Snapshot
from nnx_conformance.core.trail import Steps
from nnx_conformance.observe.flax_versions import contents, is_key, is_tracer, set_contents
from nnx_conformance.observe.graph import changed, parts, variables
from nnx_conformance.observe.log import RunLog, as_value
from nnx_conformance.observe.spies.classes import AfterCall

#: Stands for what no callback takes, such as a typed key.
OPAQUE = object()
#: Dtypes that every callback takes on every JAX.
TAKEN = frozenset("biuf")


@dataclass(frozen=True)
class _Operand:
    """A value of a trace: its position among those that a call reports, and its dtype."""

    position: int
    dtype: Any


@dataclass(frozen=True, eq=False)
class TracedCall:
    """A call that is being traced.

    Attributes:
        call: all that is known of it while the trace lasts.
        name: of the class of its module.
        created: whether the module came to be in the run.
        before, after: the slots of its state and their values.
        output: what it returned.
        steps: its lines, where the run is followed.
    """

    call: Call
    name: str
    created: bool
    before: tuple[tuple[Slot, ...], list[Any]]
    after: tuple[tuple[Slot, ...], list[Any]]
    output: Any
    steps: Steps | None


@dataclass(frozen=True, eq=False)
class _Report:
    """What is to be written down when the trace runs; it holds no value of the trace, which must not leak."""

    log: RunLog
    call: Call
    name: str
    created: bool
    before: tuple[tuple[Slot, ...], list[Any]]
    after: tuple[tuple[Slot, ...], list[Any]]
    output: Any
    steps: Steps | None
    at: Callable[[int], bool] | None

    def __call__(self, sizes: tuple[tuple[int, ...], ...], *given: Any) -> np.bool_:
        """Write down that the trace ran with these values; whether an intervention follows."""
        log = self.log
        with log.lock:
            if log.ended:
                return np.bool_(False)  # kept in an executable that outlives the run
            arrays = [self._value(*pair) for pair in zip(given, sizes, strict=True)]
            before, after = (self._snapshot(half, arrays) for half in (self.before, self.after))
            module = log.passed(self.name, self.call.line, before, after, created=self.created)
            returned = self.call.returned
            if isinstance(self.output, _Operand):
                returned = log.position(as_value(arrays[self.output.position].astype(self.output.dtype), "jax.Array"))
            made = dataclasses.replace(
                self.call, module=module, traced=False, before=before, after=after, returned=returned
            )
            log.calls.append(made)
            if log.trail and self.steps:
                log.trail.again(self.steps)
            number = sum(not call.traced for call in log.calls)
            return np.bool_(self.at is not None and self.at(number))

    def _value(self, given: Any, sizes: tuple[int, ...]) -> np.ndarray:
        array = np.array(given)
        if self.log.layouts.arrays is None and sizes and math.prod(sizes) == 1:
            return array.reshape(array.shape[len(sizes) :])  # one lane is the call itself
        return array

    def _snapshot(self, half: tuple[tuple[Slot, ...], list[Any]], arrays: list[np.ndarray]) -> Snapshot:
        slots, values = half
        known = [
            arrays[value.position].astype(value.dtype) if isinstance(value, _Operand) else value for value in values
        ]
        return self.log.layouts.put(slots, known)


def report(log: RunLog, traced: TracedCall, module: Any, after_call: AfterCall | None) -> Any:
    """Let a call report itself whenever its trace runs, and an intervention change what it leaves then.

    Returns:
        The output to hand on.
    """
    operands: list[Any] = []

    def operand(value: Any) -> Any:
        if not is_tracer(value):
            return value
        if is_key(value):
            return OPAQUE
        operands.append(_taken(value))
        return _Operand(len(operands) - 1, value.dtype)

    halves = [(slots, [operand(value) for value in values]) for slots, values in (traced.before, traced.after)]
    output = operand(traced.output) if is_tracer(traced.output) else None
    at = after_call.at if after_call else None
    written = _Report(log, traced.call, traced.name, traced.created, halves[0], halves[1], output, traced.steps, at)
    applies = _reporter(written, tuple(() for _ in operands))(*operands)
    return _where(applies, module, traced.output, after_call.change if after_call else _same)


def _same(_: Any, output: Any) -> Any:
    return output


def _taken(value: Any) -> Any:
    """What a callback is given for a value of a trace: no derivative is asked of it."""
    known = value if value.dtype.kind in TAKEN else value.astype(jnp.float32)
    return jax.lax.stop_gradient(known)


def _reporter(written: _Report, sizes: tuple[tuple[int, ...], ...]) -> Callable[..., Any]:
    """What is called in the trace; `sizes` are those of the `vmap` around it, for each value that differs by lane."""

    @custom_vmap
    def reports(*operands: Any) -> Any:
        note = functools.partial(written, sizes)
        if written.at is not None:
            return io_callback(note, np.bool_(False), *operands)
        jax.debug.callback(functools.partial(_unanswered, note), *operands)
        return jnp.bool_(False)

    @reports.def_vmap
    def by_lanes(size: int, batched: Any, *operands: Any) -> tuple[Any, bool]:
        inner = tuple((size, *now) if lanes else now for now, lanes in zip(sizes, batched, strict=True))
        return _reporter(written, inner)(*operands), False

    return reports


def _where(applies: Any, module: Any, output: Any, change: Callable[[Any, Any], Any]) -> Any:
    """The output, and the state of the module, changed where the callback says so.

    They hang on what it says even where nothing is to be changed: JAX 0.4.34 drops a `custom_vmap` that nothing uses.
    """
    held = {path: contents(variable) for path, variable in variables(module).items()}
    other = change(module, output)
    for path, variable in variables(module).items():
        if path in held:
            old, new = dict(parts(held[path])), dict(parts(contents(variable)))
            chosen = {way: _select(applies, old.get(way, part), part) for way, part in new.items()}
            set_contents(variable, changed(contents(variable), lambda way, _, chosen=chosen: chosen[way]))  # type: ignore[misc]
    return jax.tree_util.tree_map(functools.partial(_select, applies), output, other)


def _select(applies: Any, old: Any, new: Any) -> Any:
    """One of two values of a trace; what is known before it runs stays."""
    return jax.lax.select_n(applies, old, new) if is_tracer(old) and is_tracer(new) and not is_key(old) else old


def _unanswered(note: Callable[..., np.bool_], *operands: Any) -> None:
    note(*operands)
