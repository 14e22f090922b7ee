"""The check of state across traces: pitfall 2 of the exercise."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    IN_VARIABLE,
    TRACED,
    as_pair,
    base,
    calls_asked,
    excuse,
    lost_in_trace,
    pair,
    text,
    unseen,
)
from nnx_conformance.observation import Line, Module, Observation, Raised, Run
from nnx_conformance.plain_text import short
from nnx_conformance.timeline import main_calls

REMEDY = (
    "Call the model in plain Python. Where a step must be compiled, `nnx.jit` carries the state in and out; with plain "
    "`jax.jit`, split the model, return its state from the step and put it back."
)


@check(
    id=TRACED,
    level=MUST,
    requirement="No tracer sits in a Variable once a step has returned, and no mutation is lost in a plain `jax.jit`.",
    remedy=REMEDY,
    wrong="step = jax.jit(lambda x: model(x))\nlast_x = step(x)",
    right="last_x = model(x)",
)
def no_traced_mutation(case: Case, seen: Observation) -> Judgement:
    raised = seen.run.raised
    if raised and raised.about_trace:
        return _across(raised, places.entered(seen.run))
    caught = [call.line for call in seen.run.calls if call.across]
    if caught and not raised and len(main_calls(seen.run)) != calls_asked(case):
        return Violation(
            "a call changed a Variable from outside its trace; the candidate caught what that raised",
            "the state changes outside of traces",
            "an exception that was caught",
            line=places.entered(seen.run) or caught[0],
            cause="a Variable from outside a trace was changed inside it",
        )
    if leaked := _leaked(seen.run):
        return Violation(
            f"a tracer was left in a Variable of {leaked.name}",
            "a concrete array",
            "tracer",
            line=_place(seen),
            cause="the Variable was written inside a trace that did not own it",
        )
    if lost_in_trace(seen, case):
        return _lost(case, seen)
    result = pair(seen)
    if raised or (unseen(case, seen) and (result is None or result[0] != calls_asked(case))):
        return excuse(case, seen)
    has_variable = any(slot.counts for layout in base(seen).layouts for slot in layout)
    return None if has_variable else Blocked(IN_VARIABLE)


def _across(raised: Raised, entered: Line | None) -> Violation:
    message = short(raised.message.strip().partition("\n")[0])
    given = raised.type == "TypeError"
    return Violation(
        f"the candidate raised {raised.type}: {message}",
        "the state changes outside of traces",
        raised.type,
        line=entered or raised.line,
        cause="a module was given to a plain JAX transform, which does not know its state"
        if given
        else f"a Variable from outside a trace was changed inside it{_where(raised, entered)}",
    )


def _where(raised: Raised, entered: Line | None) -> str:
    return f" ({raised.line})" if entered and raised.line and raised.line != entered else ""


def _leaked(run: Run) -> Module | None:
    """A module that was concrete when it was made and ended with a tracer in it."""
    for module in run.modules:
        if module.start and module.end and not module.start.traced and module.end.traced:
            slots = run.layouts[module.end.layout]
            if any(slots[position].variable for position in module.end.traced):
                return module
    return None


def _lost(case: Case, seen: Observation) -> Violation:
    result, asked = pair(seen), calls_asked(case)
    now = text(float(result[0])) if result is not None else "nothing"
    untraced = as_pair(seen.untraced.result) if seen.untraced else None
    without = f", and {text(float(untraced[0]))} with jit switched off" if untraced is not None else ""
    return Violation(
        f"result[0] is {now} after n_calls={asked}{without}: the updates were lost in a trace",
        str(asked),
        now,
        line=_place(seen),
        cause="a plain JAX transform works on a copy of the module; what it does to the copy's state is dropped",
    )


def _place(seen: Observation) -> Line | None:
    """Where a call ran inside a trace; a cached one is seen only with traces switched off."""
    if entered := places.entered(seen.run, seen.untraced):
        return entered
    traced = [call.line for call in seen.run.calls if call.traced]
    untraced = [call.line for call in seen.untraced.calls] if seen.untraced else []
    return next(iter(traced + untraced), None)


CHECKS = (no_traced_mutation,)
