"""Calls of a module in plain Python, in the states and on the inputs that a search for its conditions found."""

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
from nnx_conformance.contracts.module_laws.execution.tracing.trace_search import Reached, TraceSearch
from nnx_conformance.contracts.module_laws.program.language import OTHER
from nnx_conformance.core.case import array_text
from nnx_conformance.core.plain_text import short
from nnx_conformance.observe.flax_versions import contents, is_key, set_contents

#: So many spots of one trace are visited; an input is shown so long.
MOST, WIDTH = 10, 60


class Visitor:
    """Makes the visits of one search; `made` gives a module as it was before its state was read."""

    def __init__(
        self, harness: Harness, search: TraceSearch, made: Callable[[int], Any], seed: int, evaluating: bool
    ) -> None:
        self._harness = harness
        self._search = search
        self._trace: Trace = search.trace
        self._made = made
        self._seed = seed
        self._evaluating = evaluating

    def all(self) -> tuple[ConditionVisit, ...]:
        """The visits, those that calls and inputs lead to first."""
        spots = sorted(self._search.spots, key=lambda spot: spot.calls < 0)
        return tuple(map(self._visit, spots[:MOST]))

    def _visit(self, spot: Reached) -> ConditionVisit:
        condition = self._search.conditions[spot.condition]
        module = self._at(spot, self._seed)
        before = state(module)
        try:
            outputs = tree(self._call(module, spot))
        except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
            raised = self._harness.source.raised(error)
            return self._noted(condition, spot, before=before, after=state(module), raised=raised)
        after = state(module)
        if self._evaluating:
            again = tree(self._call(module, spot))
            return self._noted(condition, spot, before=before, after=after, outputs=outputs, again=again)
        if self._harness.subject.declares("draws_randomness"):
            repeated = [Side(outputs, before)]
            for _ in range(1, FAR):
                now = state(module)
                repeated.append(Side(tree(self._call(module, spot)), now))
            seeds = tuple(self._other(spot, self._seed + OTHER * at) for at in range(1, FAR))
            more = {"repeated": tuple(repeated), "seeds": seeds}
            return self._noted(condition, spot, before=before, after=after, outputs=outputs, **more)
        return self._noted(condition, spot, before=before, after=after, outputs=outputs)

    def _noted(self, condition: TracedCondition, spot: Reached, **sides: Any) -> ConditionVisit:
        trace, harness = self._trace, self._harness
        text = condition.text if spot.outcome or not condition.text else f"not ({condition.text})"
        writers = ((path, proofs.writer(trace, path)) for path in trace.paths)
        places = ((path, equation.place) for path, equation in writers if equation and equation.place)
        writes = tuple(LeafWrite(path, harness.source.line(place.file, place.line)) for path, place in places)
        line = harness.source.line(condition.place.file, condition.place.line) if condition.place else None
        reached = spot.calls >= 0 or spot.put in trace.params
        return ConditionVisit(text, line, _where(spot, trace), reached, self._evaluating, writes=writes, **sides)

    def _at(self, spot: Reached, seed: int) -> Any:
        module = self._made(seed)
        put(module, dict(zip(self._trace.paths, spot.state, strict=True)))
        return module

    def _other(self, spot: Reached, seed: int) -> Side:
        """What a module returns that is in the same state, but for keys that come from another seed."""
        other = self._made(seed)
        transplant(self._at(spot, self._seed), other, keys=False)
        before = state(other)
        return Side(tree(self._call(other, spot)), before)

    def _call(self, module: Any, spot: Reached) -> Any:
        return self._harness.invoke(module, *self._trace.arguments.whole(list(map(jnp.asarray, spot.numbers))))


def _where(spot: Reached, trace: Trace) -> str:
    ways = [f"in call {spot.calls + 1}"] if spot.calls > 0 else []
    if spot.inputs:
        moved = [new for new, old in zip(spot.numbers, trace.arguments.numbers, strict=True) if new is not old]
        ways.append(f"on the input {short(', '.join(array_text(np.asarray(number)) for number in moved), WIDTH)}")
    if spot.put:
        kind = "the Param " if spot.put in trace.params else ""
        ways.append(f"with {kind}`{spot.put}` set to meet it")
    return " ".join(ways)


def put(module: Any, values: Mapping[str, Any]) -> None:
    """Write contents into a module's Variables, and into arrays that are attributes, by the paths of `contents_of`."""
    for path, variable in variables(module).items():
        held = contents(variable)

        def moved(way: Any, leaf: Any, path: str = path) -> Any:
            below = jax.tree_util.keystr(way)
            whole = path + (f"/{below}" if below else "")
            return _as(leaf, values[whole]) if whole in values else leaf

        set_contents(variable, jax.tree_util.tree_map_with_path(moved, held))
    for path, (node, name) in arrays(module).items():
        if path in values:
            setattr(node, name, _as(getattr(node, name), values[path]))


def _as(old: Any, new: Any) -> Any:
    """A value as the old one was held: by NumPy, as a number of Python, by JAX."""
    if is_key(new):
        return new
    if isinstance(old, (bool, int, float, complex)):
        return type(old)(np.asarray(new).item())
    return np.array(new) if isinstance(old, np.ndarray) else jnp.asarray(new)
