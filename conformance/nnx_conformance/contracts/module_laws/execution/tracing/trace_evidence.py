"""The runner `trace`: what the trace of a call shows, in each mode, of a module that was just made and called once.

That depends on nothing that the program did before, so it is looked into once for a seed and an input.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnx_conformance.contracts.module_laws.evidence import ConditionVisit, LeafWrite, MovedConstant, Proof
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.tracing import proofs
from nnx_conformance.contracts.module_laws.execution.tracing.conditions import conditions
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpan
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace, arguments_of, traced
from nnx_conformance.contracts.module_laws.execution.tracing.trace_search import TraceSearch
from nnx_conformance.contracts.module_laws.execution.tracing.visits import Visitor
from nnx_conformance.contracts.module_laws.program.language import INPUTS
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain, short
from nnx_conformance.core.search.conditions import Met, Outcome

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

#: A module that was called once is compared with one of the same seed that was called so often.
CALLS = 4
TRAIN, EVAL = "train", "eval"
OUTCOMES = {True: Outcome.TRUE, False: Outcome.FALSE}


def trace(run: Execution) -> Any:
    """Call the module, and note what the trace of such a call shows."""
    outputs = run.plainly()
    key = "trace", run.todo.seed, run.word.input
    run.notes |= run.harness.once(key, lambda: _looked_into(run.harness, run.todo.seed, run.word.input))
    return outputs


def _looked_into(harness: Harness, seed: int, number: int) -> dict[str, Any]:
    try:
        return _notes(harness, seed, number)
    except Exception as error:  # noqa: BLE001 - what a trace forbids, other laws report; nothing is judged by it
        return {"untraced": f"its call cannot be traced: {type(error).__name__}: {short(plain(str(error)))}"}


def _notes(harness: Harness, seed: int, number: int) -> dict[str, Any]:
    traces = _traces(harness, seed, number, 1)
    later = _traces(harness, seed, number, CALLS)
    moved = [found for mode in traces if (found := _moved(harness, traces[mode], later[mode]))]
    proved = [_proof(harness, trace, mode == EVAL) for mode, trace in traces.items()]
    notes: dict[str, Any] = {"proofs": tuple(proved), "moved": tuple(moved)[:1]}
    return notes if moved else notes | _conditions(harness, seed, number, traces)


def _made(harness: Harness, seed: int, number: int, calls: int = 1) -> Any:
    """A new module that was called so often."""
    module = harness.make(seed)
    for _ in range(calls):
        harness.call(module, number)
    return module


def _traces(harness: Harness, seed: int, number: int, calls: int) -> dict[str, Trace]:
    """The traces of a new module's call, by mode, once it was called so often."""
    modes = (TRAIN, EVAL) if harness.subject.declares("has_eval_mode") else (TRAIN,)
    traces = {}
    for mode in modes:
        module = _made(harness, seed, number, calls)
        if len(modes) > 1:
            getattr(module, mode)()
        traces[mode] = traced(harness, module, harness.pool.arguments(number))
    return traces


def _conditions(harness: Harness, seed: int, number: int, traces: dict[str, Trace]) -> dict[str, Any]:
    """The conditions of the traces, and what the module does where they come out as on no input that it is given."""
    mets: list[Met] = []
    visits: list[ConditionVisit] = []
    numbers = harness.pool.several(number, INPUTS)
    given = [arguments_of(harness.pool.arguments(each)).numbers for each in dict.fromkeys(numbers)]
    for mode, trace in traces.items():
        found = conditions(trace)
        if not found or trace.paths != traces[TRAIN].paths:
            continue
        search = TraceSearch(trace, found, traces[TRAIN].values)
        search.run(given, traces[TRAIN], harness.subject.horizon)

        def made(seed: int, mode: str = mode) -> Any:
            module = _made(harness, seed, number)
            if len(traces) > 1:
                getattr(module, mode)()
            return module

        seen = Visitor(harness, search, made, seed, mode == EVAL).all()
        visits += seen
        mets += [_met(harness, search, at) for at, each in enumerate(found) if each.place]
    return {"conditions": tuple(mets), "visits": tuple(visits)}


def _met(harness: Harness, search: TraceSearch, at: int) -> Met:
    condition, known = search.conditions[at], search.known[at]
    assert condition.place is not None
    params = search.trace.params
    led = {spot.outcome for spot in search.spots if spot.condition == at and (spot.calls >= 0 or spot.put in params)}
    outcome = sum(OUTCOMES[come] for come in known.given | led)
    near = " against ".join(f"{side:.6g}" for side in known.nearest) if all(map(math.isfinite, known.nearest)) else ""
    return Met(harness.source.line(condition.place.file, condition.place.line), condition.text, int(outcome), near)


def _proof(harness: Harness, trace: Trace, evaluating: bool) -> Proof:
    kept = proofs.unchanged(trace)
    writes = ((path, proofs.writer(trace, path)) for path in trace.paths if path not in kept)
    lines = ((path, _line(harness, equation.place)) for path, equation in writes if equation)
    return Proof(
        trace.text,
        evaluating,
        tuple(path for path in trace.paths if path in kept),
        trace.stable and proofs.same_types(trace),
        proofs.certain(trace),
        tuple(LeafWrite(path, line) for path, line in lines if line),
    )


def _moved(harness: Harness, trace: Trace, later: Trace) -> MovedConstant | None:
    found = proofs.moved(trace, later)
    return MovedConstant(_line(harness, found.place), found.before, found.after) if found else None


def _line(harness: Harness, place: SourceSpan | None) -> Line | None:
    return harness.source.line(place.file, place.line) if place else None
