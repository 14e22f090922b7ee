"""The runner `trace`: evidence from the traces of a new module's second call, in each mode.

It does not depend on earlier steps of the program, so we compute it once per seed and input.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnx_conformance.contracts.module_laws.evidence import ConditionVisit, LeafWrite, MovedConstant, Proof
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.tracing import proofs
from nnx_conformance.contracts.module_laws.execution.tracing.conditions import conditions_of
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

#: Each trace is compared with that of a module with the same seed after this many calls.
CALLS = 4
TRAIN, EVAL = "train", "eval"
DRAWS = ("random_bits", "random_gamma", "threefry2x32")
OUTCOMES = {True: Outcome.TRUE, False: Outcome.FALSE}


def trace(run: Execution) -> Any:
    """Call the module, and note what a trace of its call proves."""
    outputs = run.plainly()
    key = "trace", run.program.seed, run.word.input
    run.notes |= run.harness.once(key, lambda: _evidence(run.harness, run.program.seed, run.word.input))
    return outputs


def drawn(harness: Harness, module: Any, number: int) -> Line | None:
    """The first line of a call that draws from a key; None if not known."""
    try:
        equations = traced(harness, module, harness.pool.arguments(number)).flat.equations
    except Exception:  # noqa: BLE001 - other laws report what a trace forbids
        return None
    return next((_line(harness, each.span) for each in equations if each.name in DRAWS and each.span), None)


def _evidence(harness: Harness, seed: int, number: int) -> dict[str, Any]:
    try:
        return _traced_evidence(harness, seed, number)
    except Exception as error:  # noqa: BLE001 - other laws report what a trace forbids; this one judges nothing then
        return {"untraced": f"its call cannot be traced: {type(error).__name__}: {short(plain(str(error)))}"}


def _traced_evidence(harness: Harness, seed: int, number: int) -> dict[str, Any]:
    traces = _traces(harness, seed, number, 1)
    later = _traces(harness, seed, number, CALLS)
    moved = list(filter(None, (_moved_constant(harness, traces[mode], later[mode]) for mode in traces)))
    proved = [_proof(harness, trace, mode == EVAL) for mode, trace in traces.items()]
    notes: dict[str, Any] = {"proofs": tuple(proved), "moved_constants": tuple(moved[:1])}
    return notes if moved else notes | _conditions(harness, seed, number, traces)


def _called_module(harness: Harness, seed: int, number: int, calls: int = 1) -> Any:
    """A new module after `calls` calls."""
    module = harness.make(seed)
    for _ in range(calls):
        harness.call(module, number)
    return module


def _traces(harness: Harness, seed: int, number: int, calls: int) -> dict[str, Trace]:
    """For each mode, the trace of a new module's call after `calls` calls."""
    modes = (TRAIN, EVAL) if harness.subject.declares("has_eval_mode") else (TRAIN,)
    traces = {}
    for mode in modes:
        module = _called_module(harness, seed, number, calls)
        if len(modes) > 1:
            getattr(module, mode)()
        traces[mode] = traced(harness, module, harness.pool.arguments(number))
    return traces


def _conditions(harness: Harness, seed: int, number: int, traces: dict[str, Trace]) -> dict[str, Any]:
    """The conditions of the traces, and visits of states and inputs at which they have outcomes that no program has."""
    outcomes: list[Met] = []
    visits: list[ConditionVisit] = []
    numbers = harness.pool.several(number, INPUTS)
    program_inputs = [arguments_of(harness.pool.arguments(each)).numbers for each in dict.fromkeys(numbers)]
    for mode, trace in traces.items():
        conditions = conditions_of(trace)
        if not conditions or trace.paths != traces[TRAIN].paths:
            continue
        search = TraceSearch(trace, conditions, traces[TRAIN].values)
        search.run(program_inputs, traces[TRAIN], harness.subject.horizon)

        def make(seed: int, mode: str = mode) -> Any:
            module = _called_module(harness, seed, number)
            if len(traces) > 1:
                getattr(module, mode)()
            return module

        visits += Visitor(harness, search, make, seed, mode == EVAL).all()
        outcomes += [_outcomes(harness, search, index) for index, each in enumerate(conditions) if each.span]
    return {"conditions": tuple(outcomes), "visits": tuple(visits)}


def _outcomes(harness: Harness, search: TraceSearch, index: int) -> Met:
    """The outcomes of one condition, without those that only a state has which we set."""
    condition, record, params = search.conditions[index], search.records[index], search.trace.params
    assert condition.span is not None
    points = (point for point in search.points if point.condition == index)
    reached = {point.outcome for point in points if point.calls >= 0 or point.set_path in params}
    outcome = sum(OUTCOMES[each] for each in record.by_programs | reached)
    near = " against ".join(f"{side:.6g}" for side in record.nearest) if all(map(math.isfinite, record.nearest)) else ""
    return Met(harness.source.line(condition.span.file, condition.span.line), condition.text, int(outcome), near)


def _proof(harness: Harness, trace: Trace, evaluating: bool) -> Proof:
    kept = proofs.unchanged(trace)
    writes = ((path, proofs.writer(trace, path)) for path in trace.paths if path not in kept)
    lines = ((path, _line(harness, equation.span)) for path, equation in writes if equation)
    return Proof(
        trace.text,
        evaluating,
        tuple(path for path in trace.paths if path in kept),
        trace.stable and proofs.same_types(trace),
        proofs.certain(trace),
        tuple(LeafWrite(path, line) for path, line in lines if line),
    )


def _moved_constant(harness: Harness, trace: Trace, later: Trace) -> MovedConstant | None:
    constant = proofs.differing_constant(trace, later)
    return MovedConstant(_line(harness, constant.span), constant.before, constant.after) if constant else None


def _line(harness: Harness, span: SourceSpan | None) -> Line | None:
    return harness.source.line(span.file, span.line) if span else None
