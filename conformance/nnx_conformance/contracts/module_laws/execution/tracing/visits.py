"""Plain calls of a module in the states and on the inputs that the search of its trace found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.evidence import ConditionVisit, LeafWrite, Side
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.runners.repeated_calls import FAR
from nnx_conformance.contracts.module_laws.execution.snapshots import arrays, state, transplant, tree, variables
from nnx_conformance.contracts.module_laws.execution.tracing import proofs
from nnx_conformance.contracts.module_laws.execution.tracing.conditions import TracedCondition
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.contracts.module_laws.execution.tracing.trace_search import SearchPoint, TraceSearch
from nnx_conformance.contracts.module_laws.program.language import OTHER
from nnx_conformance.core.case import array_text
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.search.conditions import negated
from nnx_conformance.observe.flax_versions import contents, is_key, set_contents

#: The most points of one trace that we visit; the length of an input's text.
MOST, WIDTH = 10, 60


class Visitor:
    """Visits the points of one search; `make` returns a module, from a seed, with the structure of the traced one."""

    def __init__(
        self, harness: Harness, search: TraceSearch, make: Callable[[int], Any], seed: int, evaluating: bool
    ) -> None:
        self._harness = harness
        self._search = search
        self._trace: Trace = search.trace
        self._make = make
        self._seed = seed
        self._evaluating = evaluating

    def all(self) -> tuple[ConditionVisit, ...]:
        """The visits. Points that calls or inputs reach come first."""
        points = sorted(self._search.points, key=lambda point: point.calls < 0)
        return tuple(map(self._visit, points[:MOST]))

    def _visit(self, point: SearchPoint) -> ConditionVisit:
        condition = self._search.conditions[point.condition]
        module = self._at(point, self._seed)
        before = state(module)
        try:
            outputs = tree(self._call(module, point))
        except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
            raised = self._harness.source.raised(error)
            return self._noted(condition, point, before=before, after=state(module), raised=raised)
        after = state(module)
        if self._evaluating:
            again = tree(self._call(module, point))
            return self._noted(condition, point, before=before, after=after, outputs=outputs, again=again)
        if self._harness.subject.declares("draws_randomness"):
            repeated = [Side(outputs, before)]
            for _ in range(1, FAR):
                now = state(module)
                repeated.append(Side(tree(self._call(module, point)), now))
            seeds = tuple(self._other(point, self._seed + OTHER * index) for index in range(1, FAR))
            more = {"repeated": tuple(repeated), "seeds": seeds}
            return self._noted(condition, point, before=before, after=after, outputs=outputs, **more)
        return self._noted(condition, point, before=before, after=after, outputs=outputs)

    def _noted(self, condition: TracedCondition, point: SearchPoint, **sides: Any) -> ConditionVisit:
        trace, harness = self._trace, self._harness
        text = condition.text if point.outcome or not condition.text else negated(condition.text)
        writers = ((path, proofs.writer(trace, path)) for path in trace.paths)
        spans = ((path, equation.span) for path, equation in writers if equation and equation.span)
        writes = tuple(LeafWrite(path, harness.source.line(span.file, span.line)) for path, span in spans)
        line = harness.source.line(condition.span.file, condition.span.line) if condition.span else None
        reached = point.calls >= 0 or point.set_path in trace.params
        return ConditionVisit(text, line, _where(point, trace), reached, self._evaluating, writes=writes, **sides)

    def _at(self, point: SearchPoint, seed: int) -> Any:
        module = self._make(seed)
        write_contents(module, dict(zip(self._trace.paths, point.state, strict=True)))
        return module

    def _other(self, point: SearchPoint, seed: int) -> Side:
        """The call of a module in the same state, except for the keys, which come from another seed."""
        other = self._make(seed)
        transplant(self._at(point, self._seed), other, keys=False)
        before = state(other)
        return Side(tree(self._call(other, point)), before)

    def _call(self, module: Any, point: SearchPoint) -> Any:
        return self._harness.invoke(module, *self._trace.arguments.whole(list(map(jnp.asarray, point.numbers))))


def _where(point: SearchPoint, trace: Trace) -> str:
    parts = [f"in call {point.calls + 1}"] if point.calls > 0 else []
    if point.inputs:
        moved = [new for new, old in zip(point.numbers, trace.arguments.numbers, strict=True) if new is not old]
        parts.append(f"on the input {short(', '.join(array_text(np.asarray(number)) for number in moved), WIDTH)}")
    if point.set_path:
        kind = "the Param " if point.set_path in trace.params else ""
        parts.append(f"with {kind}`{point.set_path}` set to meet it")
    return " ".join(parts)


def write_contents(module: Any, values: Mapping[str, Any]) -> None:
    """Write values to a module's Variables and array attributes; the paths are those of `contents_of`."""
    for path, variable in variables(module).items():

        def new(keys: Any, leaf: Any, path: str = path) -> Any:
            below = jax.tree_util.keystr(keys)
            whole = path + (f"/{below}" if below else "")
            return _as(leaf, values[whole]) if whole in values else leaf

        set_contents(variable, jax.tree_util.tree_map_with_path(new, contents(variable)))
    for path, (node, name) in arrays(module).items():
        if path in values:
            setattr(node, name, _as(getattr(node, name), values[path]))


def _as(old: Any, new: Any) -> Any:
    """The new value in the form of the old one: a Python number, a NumPy array or a JAX array."""
    if is_key(new):
        return new
    if isinstance(old, (bool, int, float, complex)):
        return type(old)(np.asarray(new).item())
    return np.array(new) if isinstance(old, np.ndarray) else jnp.asarray(new)
