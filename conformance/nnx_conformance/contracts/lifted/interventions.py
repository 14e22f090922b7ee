"""The check by intervention: whether each lane's count in the result comes from its own Variable."""

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
    """The interventions on the state or on outputs that had something to change."""
    return [shift for shift in reading.facts.shifts if shift.changed is changed and shift.applied]


def follows_in(reading: LanesReading, shift: Intervention, column: int) -> bool:
    """Whether a column of the result followed an intervention. An exception counts: the candidate read the change."""
    rows = reading.rows(shift.outcome.result)
    return rows is None or not np.array_equal(rows[:, column], reading.result[:, column])


def unread(reading: LanesReading, column: int, what: str, cause: str, *because: str) -> Violation:
    """The violation of a column that no change reached."""
    expected, line = ("other counts", "other sums")[column], blame.returned(reading.run)
    return Violation(what, expected, numbers_text(reading.result[:, column]), line=line, cause=cause, because=because)


def _a_state_shift(reading: LanesReading) -> Unmet:
    """Need: the kit could change the count."""
    return None if applied(reading, Changed.STATE) else unmet(VISIBLE, reading) or Blocked(IN_VARIABLE)


@dataclass(frozen=True, eq=False)
class Response:
    """How the lanes of a column reacted to an intervention: the claim that must hold, and the violation otherwise."""

    claim: Claim
    violation: Callable[[], Violation]


def _responses(reading: LanesReading) -> Iterator[Response]:
    """How `result[:, 0]` reacted to the interventions.

    Its lanes must follow the state. If the calls overwrite the state, or the result is the difference to the first
    state, a change after construction does not show; then they must follow the intervention on the last outputs, which
    changes the state, too.
    """
    shift = applied(reading, Changed.STATE)[0]
    late = shift.moment is Moment.CONSTRUCTION or shift.undone
    last = next(iter(applied(reading, Changed.OUTPUT)), None) if late else None
    follows = follows_in(reading, shift, 0)
    if not follows and (_other_calls(reading, shift) or (shift.undone and last is None)):
        return
    if follows or (last and follows_in(reading, last, 0)):
        by_state = _lanes_under(reading, shift) if follows else None
        yield from filter(None, (by_state, _all_alike(reading), _lanes_after_outputs(reading)))
        follows = True
    yield Response(same_numbers(follows, True), lambda: _count_unread(reading, shift))


def _other_calls(reading: LanesReading, shift: Intervention) -> bool:
    """Whether the changed start made a loop run another number of calls, because it ends when a count is reached."""
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
    failed = next((response for response in _responses(reading) if not response.claim.holds()), None)
    if failed is not None:
        return failed.violation()
    if _other_calls(reading, applied(reading, Changed.STATE)[0]):
        return None
    return Unseen("the candidate resets the counts, which drops what the kit changed before")


#: Transforms that run each call once a lane, and keep nothing of it.
PLAIN = frozenset({"nnx.jit", "nnx.vmap"})
#: Dtypes that hold a count and the kit's amounts exactly.
WIDE = ("float32", "float64", "int32", "int64")


def rises_in(reading: LanesReading, shift: Intervention, column: int) -> np.ndarray | None:
    """By how much a column rose in each lane; None if the run raised, or its exact rise cannot be expected."""
    rows, count = reading.rows(shift.outcome.result), reading.variable
    if rows is None or count is None or np.any(reading.result[:, 0] != reading.requested_calls):
        return None
    counts = [array for moment in count.moments for array in moment]
    results = [value.array for value in (reading.run.result, shift.outcome.result) if value is not None]
    wide = all(array is None or array.dtype.name in WIDE for array in (*counts, *results))
    return rows[:, column] - reading.result[:, column] if wide else None


def _lanes_under(reading: LanesReading, shift: Intervention) -> Response | None:
    """How each lane followed the change of its own count; None if the amounts of lanes cannot be known."""
    rose = rises_in(reading, shift, 0)
    if rose is None or reading.visible is None or shift.calls != len(reading.visible.calls):
        return None
    requested, constructed = reading.requested_calls, shift.moment is Moment.CONSTRUCTION
    # A scan carries the first state on, too, whatever it keeps of its calls.
    carrying = PLAIN | {"nnx.scan"} if constructed else PLAIN
    if any(set(call.through) - carrying for call in reading.visible.calls):
        return None
    if in_blocks(rose):  # groups of lanes, each with a state of its own
        return None
    best = own_amounts(reading.lanes).astype(np.float64)
    for amounts in amounts_in_turn(reading.lanes, single=True):
        # A compiled loop that waits for the count of one lane, or of all, makes up for the amount added before it.
        waits = (
            amounts - amounts.max(),
            amounts - amounts.min(),
            np.maximum(amounts, requested) - requested,
            amounts - requested,
        )
        for rises in (amounts, *(waits if constructed else ())):
            if np.array_equal(rose, rises):
                return _of_counts(reading, shift, rises, rose)
        if np.sum(rose == amounts) > np.sum(rose == best):
            best = amounts
    return _of_counts(reading, shift, best, rose)


def _of_counts(reading: LanesReading, shift: Intervention, expected: np.ndarray, rose: np.ndarray) -> Response:
    return Response(same_numbers(rose, expected), lambda: _count_astray(reading, shift, expected, rose))


def _count_astray(reading: LanesReading, shift: Intervention, expected: np.ndarray, rose: np.ndarray) -> Violation:
    """The violation of lanes whose count does not follow its own change."""
    lane = int(np.flatnonzero(rose != expected)[0])
    direction = "raised" if expected[lane] > 0 else "lowered"
    change = f"{direction} the count of lane {lane} by {abs(expected[lane]):g} {shift.moment}"
    source = "the count of another lane, or a number beside the state"
    return lane_astray(reading, change, lane, 0, expected, rose, source)


def lane_astray(
    reading: LanesReading, change: str, lane: int, column: int, expected: np.ndarray, rose: np.ndarray, source: str
) -> Violation:
    """The violation of lanes that do not follow their own change; `lane` is the first of them."""
    also = also_astray("lane", [int(other) for other in np.flatnonzero(rose != expected) if other != lane][:5])
    what = f"the kit {change}; result[{lane}, {column}] {rise(float(rose[lane]))}{also}"
    before, line = reading.result[lane, column], blame.returned(reading.run)
    cause = f"result[:, {column}] is not read lane by lane from what the models hold or returned: a lane gives {source}"
    numbers = (f"{before + expected[lane]:g}", f"{before + rose[lane]:g}")
    return Violation(what, *numbers, line=line, cause=cause, because=(LIFTED, PER_LANE, SUM))


def all_lanes_changed(reading: LanesReading) -> bool:
    """Whether the kit changed the last call of every lane: one call runs all lanes, or each lane has its own model.

    If calls run groups of lanes, the last call may run some lanes only.
    """
    run, requested = reading.visible, reading.requested_calls
    if run is None or any(set(call.through) - PLAIN for call in run.calls):
        return False
    models = groups(run)
    return len(run.calls) == requested or (
        len(models) == reading.lanes and all(len(calls) == requested for calls in models)
    )


def _lanes_after_outputs(reading: LanesReading) -> Response | None:
    """How each lane's count followed, if the kit changed it by an amount computed from the lane's output."""
    last = next((shift for shift in applied(reading, Changed.OUTPUT) if shift.apart), None)
    if last is None or reading.requested_calls > last.amount or not all_lanes_changed(reading):
        return None
    if reading.variable is None or not all("nnx.vmap" in call.through for call in reading.count.calls):
        return None  # if one call runs all lanes, the amount of a lane depends on its position
    if (rose := rises_in(reading, last, 0)) is None:
        return None
    xs = reading.case["xs"]
    own = np.array([int(remainder(lane, np)) for lane in xs])
    fed_back = [
        [int(remainder(lane + lane.dtype.type(AMOUNT * n), np)) for lane in xs] for n in range(reading.requested_calls)
    ]
    # In a vector of counts that one call for all lanes changed, each element got one more than the element before it.
    known = (
        [np.sum(fed_back, axis=0)]
        + [own * times for times in (1, reading.requested_calls)]
        + [np.arange(reading.lanes) * times for times in (1, reading.requested_calls)]
    )
    if len(set(rose)) == 1:
        return None
    counts: list[float] = list(rose - own)
    common = max(set(counts), key=counts.count)
    expected = own + (common if counts.count(common) > 1 else AMOUNT)
    for rises in known:
        if rose[0] - rises[0] >= AMOUNT and len(set(rose - rises)) == 1:
            expected = rises + (rose[0] - rises[0])
    return _of_counts(reading, last, expected, rose)


def _all_alike(reading: LanesReading) -> Response | None:
    """Whether lanes rose by different amounts, if the kit changed each lane's count by an amount of its own."""
    last = next((shift for shift in applied(reading, Changed.OUTPUT) if shift.apart), None)
    # With more calls than the least amount, a loop that waits for its count would make further calls after a change.
    if last is None or reading.requested_calls > last.amount or (rows := reading.rows(last.outcome.result)) is None:
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
