"""Checks by intervention: whether the result is read from the state and the outputs that it must come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.following import amounts_in_turn, in_blocks
from nnx_conformance.contracts.lifted.reading import LIFTED, PER_LANE, SUM, VISIBLE, LanesReading, a_result
from nnx_conformance.contracts.reading import IN_VARIABLE
from nnx_conformance.contracts.wording import also_astray, numbers_text, rise
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check, unmet
from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import AMOUNT, OUTPUTS, SHIFTS, Changed, Moment, own_amounts, remainder
from nnx_conformance.core.timeline import groups


def applied(reading: LanesReading, changed: Changed) -> list[Intervention]:
    """The interventions on the state or on outputs for which there was something to change."""
    return [shift for shift in reading.facts.shifts if shift.changed is changed and shift.applied]


def follows_in(reading: LanesReading, shift: Intervention, column: int) -> bool:
    """Whether a column of the result changed with it; a candidate that raises then has read what changed."""
    rows = reading.rows(shift.outcome.result)
    return rows is None or not np.array_equal(rows[:, column], reading.result[:, column])


def unread(reading: LanesReading, column: int, what: str, cause: str, *because: str) -> Violation:
    """The violation of a column that stayed the same."""
    expected, line = ("other counts", "other sums")[column], blame.returned(reading.run)
    return Violation(what, expected, numbers_text(reading.result[:, column]), line=line, cause=cause, because=because)


def _a_state_shift(reading: LanesReading) -> Unmet:
    """Need: the kit could change the count."""
    return None if applied(reading, Changed.STATE) else unmet(VISIBLE, reading) or Blocked(IN_VARIABLE)


@dataclass(frozen=True, eq=False)
class Response:
    """How lanes of a column followed a change of their own: what must hold of it, and the violation if it does not."""

    claim: Claim
    violation: Callable[[], Violation]


def _responses(reading: LanesReading) -> Iterator[Response]:
    """What must hold of `result[:, 0]`, whose lanes follow the state, or the last outputs where that is set anew.

    Nothing is left of the start where calls set the state anew, or where the result is the difference to it.
    """
    shift = applied(reading, Changed.STATE)[0]
    late = shift.moment is Moment.CONSTRUCTION or shift.undone
    last = next(iter(applied(reading, Changed.OUTPUT)), None) if late else None
    follows = follows_in(reading, shift, 0)
    if not follows and (_other_calls(reading, shift) or (shift.undone and last is None)):
        return
    if follows or (last and follows_in(reading, last, 0)):
        every = (_lanes_under(reading, shift) if follows else None, _same_for_all(reading), _lanes_of_others(reading))
        yield from filter(None, every)
        follows = True
    yield Response(same_numbers(follows, True), lambda: _count_unread(reading, shift))


def _other_calls(reading: LanesReading, shift: Intervention) -> bool:
    """Whether a loop that goes on until the count is reached has made other calls for a change of its start."""
    constructed = shift.moment is Moment.CONSTRUCTION
    return constructed and reading.visible is not None and shift.calls != len(reading.visible.calls)


def _count_unread(reading: LanesReading, shift: Intervention) -> Violation:
    """The violation of counts that stayed the same."""
    if shift.undone:
        what = "the kit raised what the models keep after the last calls; result[:, 0] stayed the same"
        return unread(reading, 0, what, "the candidate computes result[:, 0] without the Variable", LIFTED)
    what = f"the kit raised the count by {shift.amount} {shift.moment}; result[:, 0] stayed the same"
    cause = "the candidate computes result[:, 0] without the Variable, or drops its updates"
    return unread(reading, 0, what, cause, LIFTED, PER_LANE)


@check(
    id="result-reads-state",
    level=MUST,
    requirement="`result[:, 0]` comes from the Variable, lane by lane: when we change a lane's count, its result "
    "changes by as much.",
    remedy="Return `models.count.value` of the models that were called, not a number beside them.",
    wrong="counts = jnp.full(lanes, n_calls)",
    right="counts = models.count.value",
    probes=(SHIFTS, OUTPUTS),
    needs=(a_result, _a_state_shift),
    claims=lambda _, reading: [response.claim for response in _responses(reading)],
)
def result_reads_state(_: Case, reading: LanesReading) -> Judgement:
    shift = applied(reading, Changed.STATE)[0]
    short = next((response for response in _responses(reading) if not response.claim.holds()), None)
    if short is not None:
        return short.violation()
    if _other_calls(reading, shift):
        return None
    return Unseen("the candidate resets the counts, which drops what the kit changed before")


#: Transforms in which each call is made once for each lane, and which keep nothing of it.
PLAIN = frozenset({"nnx.jit", "nnx.vmap"})
#: Dtypes that hold a count and what the kit adds to it exactly.
WIDE = ("float32", "float64", "int32", "int64")


def rises_in(reading: LanesReading, shift: Intervention, column: int) -> np.ndarray | None:
    """By how much a column rose in each lane; None where other numbers speak, or none: an exception has read it."""
    rows, count = reading.rows(shift.outcome.result), reading.variable
    if rows is None or count is None or np.any(reading.result[:, 0] != reading.asked):
        return None
    held = [held for moment in count.moments for held in moment]
    results = [value.array for value in (reading.run.result, shift.outcome.result) if value is not None]
    wide = all(array is None or array.dtype.name in WIDE for array in (*held, *results))
    return rows[:, column] - reading.result[:, column] if wide else None


def _lanes_under(reading: LanesReading, shift: Intervention) -> Response | None:
    """How lanes followed their own change, where the kit changed the state of all."""
    rose = rises_in(reading, shift, 0)
    if rose is None or reading.visible is None or shift.calls != len(reading.visible.calls):
        return None
    asked, constructed = reading.asked, shift.moment is Moment.CONSTRUCTION
    # What is there from the start a scan hands on as well, whatever it keeps of its calls.
    handing_on = PLAIN | {"nnx.scan"} if constructed else PLAIN
    if any(set(call.through) - handing_on for call in reading.visible.calls):
        return None
    if in_blocks(rose):  # lanes in groups, each group a state of its own
        return None
    best = own_amounts(reading.lanes).astype(np.float64)
    for amounts in amounts_in_turn(reading.lanes, single=True):
        # A compiled loop that waits for the count of all lanes, or of each, makes up for what was added before.
        waits = (amounts - amounts.max(), amounts - amounts.min(), np.maximum(amounts, asked) - asked, amounts - asked)
        for rises in (amounts, *(waits if constructed else ())):
            if np.array_equal(rose, rises):
                return _of_counts(reading, shift, rises, rose)
        if np.sum(rose == amounts) > np.sum(rose == best):
            best = amounts
    return _of_counts(reading, shift, best, rose)


def _of_counts(reading: LanesReading, shift: Intervention, wanted: np.ndarray, rose: np.ndarray) -> Response:
    return Response(same_numbers(rose, wanted), lambda: _count_astray(reading, shift, wanted, rose))


def _count_astray(reading: LanesReading, shift: Intervention, wanted: np.ndarray, rose: np.ndarray) -> Violation:
    """The violation of lanes whose count does not follow its own change."""
    at = int(np.flatnonzero(rose != wanted)[0])
    change = f"{'raised' if wanted[at] > 0 else 'lowered'} the count of lane {at} by {abs(wanted[at]):g} {shift.moment}"
    return lane_astray(reading, change, at, 0, wanted, rose, "the count of another lane, or a number beside the state")


def lane_astray(
    reading: LanesReading, change: str, at: int, column: int, wanted: np.ndarray, rose: np.ndarray, source: str
) -> Violation:
    """The violation of lanes that do not follow their own change, by the first of them."""
    also = also_astray("lane", [int(lane) for lane in np.flatnonzero(rose != wanted) if lane != at][:5])
    what = f"the kit {change}; result[{at}, {column}] {rise(float(rose[at]))}{also}"
    was, line = reading.result[at, column], blame.returned(reading.run)
    cause = f"result[:, {column}] is not read lane by lane from what the models hold or returned: a lane gives {source}"
    numbers = (f"{was + wanted[at]:g}", f"{was + rose[at]:g}")
    return Violation(what, *numbers, line=line, cause=cause, because=(LIFTED, PER_LANE, SUM))


def all_lanes_changed(reading: LanesReading) -> bool:
    """Whether the kit changed the last call of each lane: one call is made for all lanes, or each has its own model.

    Where lanes are called in groups, a last call may be that of some lanes alone.
    """
    run, asked = reading.visible, reading.asked
    if run is None or any(set(call.through) - PLAIN for call in run.calls):
        return False
    models = groups(run)
    return len(run.calls) == asked or (len(models) == reading.lanes and all(len(calls) == asked for calls in models))


def _lanes_of_others(reading: LanesReading) -> Response | None:
    """How lanes followed where the kit changed each one's count by a number made of what its call returned."""
    last = next((shift for shift in applied(reading, Changed.OUTPUT) if shift.apart), None)
    if last is None or reading.asked > last.amount or not all_lanes_changed(reading):
        return None
    if reading.variable is None or not all("nnx.vmap" in call.through for call in reading.count.calls):
        return None  # a call for all lanes changes the number of each by its place
    if (rose := rises_in(reading, last, 0)) is None:
        return None
    xs = reading.case["xs"]
    own = np.array([int(remainder(lane, np)) for lane in xs])
    fed_back = [[int(remainder(lane + lane.dtype.type(AMOUNT * at), np)) for lane in xs] for at in range(reading.asked)]
    # One call for all lanes changed a vector of counts, in which each element was raised by one more than the last.
    known = (
        [np.sum(fed_back, axis=0)]
        + [own * times for times in (1, reading.asked)]
        + [np.arange(reading.lanes) * t for t in (1, reading.asked)]
    )
    if len(set(rose)) == 1:
        return None
    counts: list[float] = list(rose - own)
    common = max(set(counts), key=counts.count)
    wanted = own + (common if counts.count(common) > 1 else AMOUNT)
    for rises in known:
        if rose[0] - rises[0] >= AMOUNT and len(set(rose - rises)) == 1:
            wanted = rises + (rose[0] - rises[0])
    return _of_counts(reading, last, wanted, rose)


def _same_for_all(reading: LanesReading) -> Response | None:
    """Whether lanes rose apart, where the kit changed each one's count by a number of its own."""
    last = next((shift for shift in applied(reading, Changed.OUTPUT) if shift.apart), None)
    # Of no more calls than the least of these numbers, a loop that waits for its count ends after the first call.
    if last is None or reading.asked > last.amount or (rows := reading.rows(last.outcome.result)) is None:
        return None
    rose = rows[:, 0] - reading.result[:, 0]
    if len({int(remainder(lane, np)) for lane in reading.case["xs"]}) < 2 or not rose[0]:
        return None
    return Response(same_numbers(np.all(rose == rose[0]), False), lambda: _of_one_lane(reading, rose[0]))


def _of_one_lane(reading: LanesReading, rose: float) -> Violation:
    """The violation of lanes that all return the count of one."""
    what = f"the kit raised each lane's count by a number of its own; result[:, 0] rose by {rose:g} in all lanes"
    cause = "the candidate returns one number for all lanes, such as the first one's count"
    numbers, line = (f"{reading.lanes} numbers", f"{rose:g} in each"), blame.returned(reading.run)
    return Violation(what, *numbers, line=line, cause=cause, because=(LIFTED, PER_LANE))
