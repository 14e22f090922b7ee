"""Calls inside traces that report themselves, for calls that a run without compilation does not show.

A callback in the trace sends the state before and after the call, and its output, to the log, in whatever thread,
transform or executable the trace runs. `custom_vmap` sends the lanes of a `vmap` together, the outermost axis first,
and values common to all lanes once.

We tried only `io_callback`, but `jax.checkpoint` refuses it under a derivative and accepts `jax.debug.callback`. Only
an intervention needs a callback's return value.
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

#: Replaces a value that no callback accepts, such as a typed key.
OPAQUE = object()
#: The kinds of dtypes that callbacks accept in every JAX version.
SENT = frozenset("biuf")


@dataclass(frozen=True)
class _Operand:
    """A tracer that a call reports: its position among the callback's arguments, and its dtype."""

    position: int
    dtype: Any


@dataclass(frozen=True, eq=False)
class TracedCall:
    """A call during its trace.

    Attributes:
        call: its record so far.
        name: the class of its module.
        created: whether the run made the module.
        before, after: the slots of the module's state, and their values.
        output: its output.
        steps: its lines, if the run is followed.
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
    """The callback that records a call when its trace runs. It holds no tracer, which would leak."""

    log: RunLog
    call: Call
    name: str
    created: bool
    before: tuple[tuple[Slot, ...], list[Any]]
    after: tuple[tuple[Slot, ...], list[Any]]
    output: Any
    steps: Steps | None
    selects: Callable[[int], bool] | None

    def __call__(self, sizes: tuple[tuple[int, ...], ...], *operands: Any) -> np.bool_:
        """Record a call with these values, and say whether an intervention follows it."""
        log = self.log
        with log.lock:
            if log.ended:
                return np.bool_(False)  # an executable that outlives its run
            arrays = [self._array(*pair) for pair in zip(operands, sizes, strict=True)]
            before, after = (self._snapshot(state, arrays) for state in (self.before, self.after))
            module = log.traced_module(self.name, self.call.line, before, after, created=self.created)
            returned = self.call.returned
            if isinstance(self.output, _Operand):
                returned = log.position(as_value(arrays[self.output.position].astype(self.output.dtype), "jax.Array"))
            log.calls.append(
                dataclasses.replace(
                    self.call, module=module, traced=False, before=before, after=after, returned=returned
                )
            )
            if log.trail and self.steps:
                log.trail.add_call(self.steps)
            number = sum(not call.traced for call in log.calls)
            return np.bool_(self.selects is not None and self.selects(number))

    def _array(self, operand: Any, sizes: tuple[int, ...]) -> np.ndarray:
        array = np.array(operand)
        if self.log.layouts.arrays is None and sizes and math.prod(sizes) == 1:
            return array.reshape(array.shape[len(sizes) :])  # a single lane is the call itself
        return array

    def _snapshot(self, state: tuple[tuple[Slot, ...], list[Any]], arrays: list[np.ndarray]) -> Snapshot:
        slots, values = state
        concrete = [
            arrays[value.position].astype(value.dtype) if isinstance(value, _Operand) else value for value in values
        ]
        return self.log.layouts.put(slots, concrete)


def report(log: RunLog, traced: TracedCall, module: Any, after_call: AfterCall | None) -> Any:
    """Let a call report itself whenever its trace runs, and let `after_call` intervene then.

    Returns:
        The output that the caller of the module gets.
    """
    operands: list[Any] = []

    def operand(value: Any) -> Any:
        if not is_tracer(value):
            return value
        if is_key(value):
            return OPAQUE
        operands.append(_sendable(value))
        return _Operand(len(operands) - 1, value.dtype)

    before, after = ((slots, [operand(value) for value in values]) for slots, values in (traced.before, traced.after))
    output = operand(traced.output) if is_tracer(traced.output) else None
    selects = after_call.selects if after_call else None
    record = _Report(log, traced.call, traced.name, traced.created, before, after, output, traced.steps, selects)
    applies = _reporter(record, tuple(() for _ in operands))(*operands)
    return _where(applies, module, traced.output, after_call.change if after_call else _unchanged)


def _unchanged(_: Any, output: Any) -> Any:
    return output


def _sendable(value: Any) -> Any:
    """A tracer as a callback's argument: in a dtype that callbacks accept, and without a derivative."""
    return jax.lax.stop_gradient(value if value.dtype.kind in SENT else value.astype(jnp.float32))


def _reporter(record: _Report, sizes: tuple[tuple[int, ...], ...]) -> Callable[..., Any]:
    """The function that a trace calls. `sizes` are, for each operand, the sizes of the `vmap` axes that batch it."""

    @custom_vmap
    def reports(*operands: Any) -> Any:
        callback = functools.partial(record, sizes)
        if record.selects is not None:
            return io_callback(callback, np.bool_(False), *operands)
        jax.debug.callback(functools.partial(_without_result, callback), *operands)
        return jnp.bool_(False)

    @reports.def_vmap
    def by_lanes(size: int, batched: Any, *operands: Any) -> tuple[Any, bool]:
        with_axis = tuple((size, *axes) if lanes else axes for axes, lanes in zip(sizes, batched, strict=True))
        return _reporter(record, with_axis)(*operands), False

    return reports


def _where(applies: Any, module: Any, output: Any, change: Callable[[Any, Any], Any]) -> Any:
    """Change the output, and the state of the module, if `applies` is true at run time.

    Both depend on `applies` even without a change, because JAX 0.4.34 drops a `custom_vmap` whose result is unused.
    """
    before = {path: contents(variable) for path, variable in variables(module).items()}
    other = change(module, output)
    for path, variable in variables(module).items():
        if path in before:
            old, new = dict(parts(before[path])), dict(parts(contents(variable)))
            chosen = {label: _select(applies, old.get(label, part), part) for label, part in new.items()}
            set_contents(variable, changed(contents(variable), lambda label, _, chosen=chosen: chosen[label]))  # type: ignore[misc]
    return jax.tree_util.tree_map(functools.partial(_select, applies), output, other)


def _select(applies: Any, old: Any, new: Any) -> Any:
    """One of two tracers at run time; a concrete value stays as it is."""
    return jax.lax.select_n(applies, old, new) if is_tracer(old) and is_tracer(new) and not is_key(old) else old


def _without_result(callback: Callable[..., np.bool_], *operands: Any) -> None:
    callback(*operands)
