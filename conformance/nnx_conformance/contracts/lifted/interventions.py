"""Checks by intervention: whether the result is read from the state and the outputs that it must come from."""

from __future__ import annotations

import numpy as np

from nnx_conformance.apart import remainder
from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.lifted.evidence import (
    HIDDEN,
    IN_VARIABLE,
    LIFTED,
    PER_LANE,
    RETURNS,
    SUM,
    calls_asked,
    culprit,
    excuse,
    looked,
    result,
    shown,
)
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.sight import out_of_sight
from nnx_conformance.observation import Observation, Shift
from nnx_conformance.request import OUTPUTS, SHIFTS


@check(
    id="result-reads-state",
    level=MUST,
    requirement="`result[:, 0]` is read from the Variable, lane by lane: when the kit changes that, it follows.",
    remedy="Return `models.count.value` of the models that were called, not a number beside them.",
    wrong="counts = jnp.full(lanes, n_calls)",
    right="counts = models.count.value",
    probes=(SHIFTS, OUTPUTS),
)
def result_reads_state(case: Case, seen: Observation) -> Judgement:
    got = result(case, seen)
    if got is None:
        return Blocked(culprit(seen) or RETURNS)
    tried = [shift for shift in seen.shifts if shift.what == "state" and shift.applied]
    if not tried:
        return excuse(case, seen) or Blocked(IN_VARIABLE)
    if _followed(tried[0], got, 0):
        return _one_for_all(case, seen, got)
    if _made_up(seen, tried[0]):
        return None
    if tried[0].undone:
        return _undone(seen, got)
    what = f"the kit raised the count by {tried[0].amount} {tried[0].when}; result[:, 0] stayed the same"
    cause = "result[:, 0] is computed without the Variable, or its updates are dropped"
    follows = (LIFTED, PER_LANE)
    return Violation(what, "other counts", shown(got[:, 0]), line=places.returned(seen), cause=cause, follows=follows)


@check(
    id="result-reads-output",
    level=MUST,
    requirement="`result[:, 1]` is computed from what the last calls returned, or from what the models keep: when the "
    "kit changes both, it follows.",
    remedy="Keep the output of the last call, `ys = step(models, xs)`, and return `ys.sum(axis=1)`.",
    wrong="step(models, xs)\nsums = xs.sum(axis=1)",
    right="ys = step(models, xs)\nsums = ys.sum(axis=1)",
    probes=(SHIFTS, OUTPUTS),
)
def result_reads_output(case: Case, seen: Observation) -> Judgement:
    got = result(case, seen)
    if got is None:
        return Blocked(culprit(seen) or RETURNS)
    tried = [shift for shift in seen.shifts if shift.what == "output" and shift.applied]
    if not tried:
        return excuse(case, seen) or (out_of_sight(seen, HIDDEN) if seen.run.modules else Blocked(IN_VARIABLE))
    if _followed(tried[0], got, 1):
        return None
    return Violation(
        f"the kit raised what the last calls returned by {tried[0].amount}, and what the models keep by as much or "
        "more; result[:, 1] stayed the same",
        "other sums",
        shown(got[:, 1]),
        line=places.returned(seen),
        cause="result[:, 1] is computed from something else than the outputs of the last calls, such as xs itself",
        follows=(SUM, LIFTED),
    )


def _one_for_all(case: Case, seen: Observation, got: np.ndarray) -> Violation | None:
    """Where each lane's count was changed by a number of its own, one count that is returned for all of them shows.

    Of no more calls than the least of these numbers, a loop that waits for its count ends after the first one.
    """
    rows = {int(remainder(row, np)) for row in case["xs"]}
    last = next((shift for shift in seen.shifts if shift.what == "output" and shift.applied and shift.apart), None)
    thing = last.outcome.result if last else None
    if last is None or thing is None or thing.array is None or thing.array.shape != got.shape:
        return None
    if calls_asked(case) > last.amount or len(rows) < 2:
        return None
    rose = thing.array.astype(np.float64)[:, 0] - got[:, 0]
    if not rose[0] or np.any(rose != rose[0]):
        return None
    what = f"the kit raised each lane's count by a number of its own; result[:, 0] rose by {rose[0]:g} in all lanes"
    cause = "one number is returned for all lanes, such as the count of the first one"
    numbers = (f"{len(got)} numbers", f"{rose[0]:g} in each")
    return Violation(what, *numbers, line=places.returned(seen), cause=cause, follows=(LIFTED, PER_LANE))


def _undone(seen: Observation, got: np.ndarray) -> Judgement:
    """Where the candidate sets the counts anew, what was changed after the last calls tells."""
    last = [shift for shift in seen.shifts if shift.what == "output" and shift.applied]
    if not last:
        return NotApplicable("the candidate sets the counts anew, so nothing is left of what the kit changed before")
    if _followed(last[0], got, 0):
        return None
    what = "the kit raised what the models keep after the last calls; result[:, 0] stayed the same"
    cause = "result[:, 0] is computed without the Variable"
    return Violation(what, "other counts", shown(got[:, 0]), line=places.returned(seen), cause=cause, follows=(LIFTED,))


def _made_up(seen: Observation, shift: Shift) -> bool:
    """Whether other calls were made for it, by a loop that goes on until the count is reached."""
    run = looked(seen)
    return shift.when == "after construction" and run is not None and shift.calls != len(run.calls)


def _followed(shift: Shift, got: np.ndarray, column: int) -> bool:
    """Whether a column of the result changed with what the kit changed; one that raises then has read it, too."""
    thing = shift.outcome.result
    if thing is None or thing.array is None or thing.array.shape != got.shape:
        return True
    return not np.array_equal(thing.array.astype(np.float64)[:, column], got[:, column])


CHECKS = (result_reads_state, result_reads_output)
