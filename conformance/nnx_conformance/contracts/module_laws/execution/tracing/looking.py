"""The runner `trace`: what the trace of a call shows, in each mode, of a module that was just made and called once.

That depends on nothing that the program did before, so it is looked into once for a seed and an input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.tracing import proofs
from nnx_conformance.contracts.module_laws.execution.tracing.places import Place
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace, traced
from nnx_conformance.contracts.module_laws.facts import MovedConstant, Proof, Write
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain, short

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

#: A module that was called once is compared with one of the same seed that was called so often.
CALLS = 4


def trace(run: Execution) -> Any:
    """Call the module, and note what the trace of such a call shows."""
    outputs = run.plainly()
    key = "trace", run.todo.seed, run.word.input
    run.notes |= run.harness.once(key, lambda: _looked_into(run.harness, run.todo.seed, run.word.input))
    return outputs


def _looked_into(harness: Harness, seed: int, number: int) -> dict[str, Any]:
    try:
        traces = _traces(harness, seed, number, 1)
        later = _traces(harness, seed, number, CALLS)
        found = [_proof(harness, trace, mode == "eval") for mode, trace in traces.items()]
        moved = [_moved(harness, traces[mode], later[mode]) for mode in traces if mode in later]
    except Exception as error:  # noqa: BLE001 - what a trace forbids, other laws report
        return {"untraced": f"its call cannot be traced: {short(plain(str(error)))}"}
    return {"proofs": tuple(found), "moved": tuple(filter(None, moved))[:1]}


def _traces(harness: Harness, seed: int, number: int, calls: int) -> dict[str, Trace]:
    """The traces of a new module's call, by mode, once it was called so often."""
    modes = ("train", "eval") if harness.subject.declares("has_eval_mode") else ("",)
    module = harness.make(seed)
    for _ in range(calls):
        harness.call(module, number)
    traces = {}
    for mode in modes:
        if mode:
            getattr(module, mode)()
        traces[mode] = traced(harness, module, harness.pool.arguments(number))
    return traces


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
        tuple(Write(path, line) for path, line in lines if line),
    )


def _moved(harness: Harness, trace: Trace, later: Trace) -> MovedConstant | None:
    found = proofs.moved(trace, later)
    return MovedConstant(_line(harness, found.place), found.before, found.after) if found else None


def _line(harness: Harness, place: Place | None) -> Line | None:
    return harness.source.line(place.file, place.line) if place else None
