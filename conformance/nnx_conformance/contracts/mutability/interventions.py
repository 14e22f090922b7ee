"""Checks by intervention: whether the result is read from the state and the output that it must come from."""

from __future__ import annotations

import math

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    COUNT,
    IN_VARIABLE,
    INCREMENT,
    OUTPUT,
    RETURNS,
    SUM,
    TRACED,
    base,
    culprit,
    followed,
    hidden,
    lost_in_trace,
    made,
    no_counter,
    pair,
)
from nnx_conformance.observation import Observation, Shift
from nnx_conformance.request import SHIFTS

#: When a change of the state must show in the result, at the one moment or the other.
MOMENTS = ("after the last call", "after construction")


@check(
    id="result-reads-state",
    level=MUST,
    requirement="`result[0]` is read from the Variable: when the kit changes its value, `result[0]` follows.",
    remedy="Return `model.count.value` (or `model.count[...]`) of the model that was called, not a number beside it.",
    wrong="return jnp.array([n_calls, last_x.sum()])",
    right="return jnp.array([model.count.value, last_x.sum()])",
    probes=(SHIFTS,),
)
def result_reads_state(case: Case, seen: Observation) -> Judgement:
    if pair(seen) is None:
        return Blocked(culprit(seen) or RETURNS)
    if lost_in_trace(seen, case):
        return Blocked(TRACED)
    tried = [shift for shift in seen.shifts if shift.what == "state" and shift.when in MOMENTS and shift.applied]
    if not tried:
        return hidden(case, seen) or no_counter(case, seen)
    unmoved = _unmoved(seen, tried)
    if unmoved is None:
        return None
    done = "raised" if unmoved.amount > 0 else "lowered"
    return Violation(
        f"the kit {done} the count by {abs(unmoved.amount)} {unmoved.when}; result[0] stayed the same",
        f"result[0] other than {pair(seen)[0]:g}",  # type: ignore[index]
        f"{pair(seen)[0]:g}",  # type: ignore[index]
        line=places.returned(seen),
        cause="result[0] is computed without the Variable: the model only decorates it"
        if unmoved.amount > 0
        else "result[0] is the larger one of the count and another number",
        follows=(COUNT,),
    )


def _unmoved(seen: Observation, tried: list[Shift]) -> Shift | None:
    """An intervention that result[0] should have followed, and did not."""
    built = [shift for shift in tried if shift.when == "after construction"]
    raised = [shift for shift in tried if shift.when == "after the last call" and shift.amount > 0]
    lowered = [shift for shift in tried if shift.when == "after the last call" and shift.amount < 0]
    deciding = built or raised
    if deciding and not any(followed(shift, seen, 0) for shift in deciding):
        return deciding[0]
    # A loop that goes on until the count is reached has made up for what was taken away.
    made_up = any(shift.calls != len(base(seen).calls) for shift in lowered)
    # Where it does not follow what is raised either, it is read at another time, and not the larger one of two.
    up = any(followed(shift, seen, 0) for shift in raised)
    if lowered and up and not made_up and not any(followed(shift, seen, 0) for shift in lowered):
        return lowered[0]
    return None


@check(
    id="result-reads-output",
    level=MUST,
    requirement="`result[1]` is computed from what the last call returned: when the kit changes it, it follows.",
    remedy="Keep the output of the last call, `last_x = model(x)`, and return `last_x.sum()`.",
    wrong="model(x)\nreturn jnp.array([model.count.value, x.sum()])",
    right="last_x = model(x)\nreturn jnp.array([model.count.value, last_x.sum()])",
    probes=(SHIFTS,),
)
def result_reads_output(case: Case, seen: Observation) -> Judgement:
    if (result := pair(seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    if not math.isfinite(result[1]):
        return Blocked(SUM)  # what is added to it cannot be seen
    tried = [shift for shift in seen.shifts if shift.what == "output"]
    if not any(shift.applied for shift in tried):
        return _no_output(case, seen, bool(tried))
    if any(followed(shift, seen, 1) for shift in tried):
        return None
    return Violation(
        f"the kit raised what the last call returned by {tried[0].amount}; result[1] stayed the same",
        f"result[1] other than {pair(seen)[1]:g}",  # type: ignore[index]
        f"{pair(seen)[1]:g}",  # type: ignore[index]
        line=places.returned(seen),
        cause="result[1] is computed from something else than the output of the last call, such as x itself",
        follows=(OUTPUT, SUM),
    )


def _no_output(case: Case, seen: Observation, called: bool) -> Judgement:
    if unseen := hidden(case, seen):
        return unseen
    if called:
        return Blocked(OUTPUT)
    return Blocked(INCREMENT if made(base(seen)) else IN_VARIABLE)


CHECKS = (result_reads_state, result_reads_output)
