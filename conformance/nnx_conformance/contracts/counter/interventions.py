"""Checks by intervention: whether the result is read from the state and the output that it must come from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.counter.reading import (
    COUNT,
    INCREMENT,
    OUTPUT,
    SUM,
    CounterReading,
    a_pair,
    pair_of,
    updates_kept,
)
from nnx_conformance.contracts.reading import IN_VARIABLE, TRACED, created
from nnx_conformance.contracts.sums import Sum, expected_sum, rounding
from nnx_conformance.contracts.wording import rise
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, another, near
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check
from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import SHIFTS, Changed, Moment, own_amounts
from nnx_conformance.core.timeline import ends_otherwise, groups

LOST_IN_ROUNDING = "a sum as large as this rounds away what the kit added to the output"


def _state_shifts(reading: CounterReading) -> list[Intervention]:
    """The changes of the state that must show in the result."""
    moments = (Moment.LAST_CALL, Moment.CONSTRUCTION, Moment.EVERY_CALL)
    return [*(shift for shift in reading.shifts(*moments) if shift.applied), *reading.kept_shifts]


def _output_shifts(reading: CounterReading) -> list[Intervention]:
    return [shift for shift in reading.facts.shifts if shift.changed is Changed.OUTPUT]


def a_state_shift(reading: CounterReading) -> Unmet:
    """Need: the kit could change the count."""
    return None if _state_shifts(reading) else reading.hidden or reading.no_counter


def an_output_shift(reading: CounterReading) -> Unmet:
    """Need: the kit could change what the last call returned."""
    tried = _output_shifts(reading)
    if any(shift.applied for shift in tried):
        return None
    by = OUTPUT if tried else INCREMENT if reading.created else IN_VARIABLE
    return reading.hidden or Blocked(by)


def a_finite_sum(reading: CounterReading) -> Unmet:
    """Need: the sum is finite, or adding to it shows nothing."""
    return None if reading.pair is None or math.isfinite(reading.pair[1]) else Blocked(SUM)


@dataclass(frozen=True, eq=False)
class _Response:
    """What a part of the result did under a change: what it was, is, and should be then, and what it must be at least.

    The claim asks less where what it should be cannot be told: that it is within the error of a sum, or another.
    """

    shift: Intervention
    was: float
    now: float
    wanted: float
    claim: Claim


def _before(reading: CounterReading, shift: Intervention) -> np.ndarray | None:
    """The pair without a change; what is changed right after a call is so in the run that shows the calls."""
    inside = shift.moment in (Moment.CONSTRUCTION, Moment.EVERY_CALL)
    return pair_of((reading.run if inside else reading.clear).result)


def _calls_around(reading: CounterReading) -> range:
    """How often one change may show: a module made by each call from what the last one left goes through several."""
    return range(1, max(1, len(groups(reading.clear)), len(created(reading.run))) + 1)


def _count_under(reading: CounterReading, shift: Intervention) -> _Response | None:
    """What result[0] did; it must rise by what the kit added, or at all where that cannot be told."""
    was, now = _before(reading, shift), pair_of(shift.outcome.result)
    if was is None or now is None:
        return None  # an exception: the candidate has read what changed
    amount = shift.amount * (reading.asked if shift.moment is Moment.EVERY_CALL else 1)
    once = shift.moment in (Moment.FIRST_CALL, Moment.LAST_CALL)
    calls_alike = not once or shift.calls == len(reading.clear.calls)
    if was[0] != reading.asked or not shift.exact or not calls_alike:
        return _Response(shift, was[0], now[0], was[0] + amount, another(now[0], was[0]))
    rises = [amount * times for times in _calls_around(reading)]
    if shift.moment is Moment.CONSTRUCTION:
        # A compiled loop that waits for its count makes no call; and a dtype of 8 bits wraps around on the way.
        rises += [rise - reading.asked for rise in rises] + [rise - 256 for rise in rises]
    right = min((was[0] + rise for rise in rises), key=lambda right: abs(now[0] - right))
    claim = near(now[0], right, rounding(shift.outcome.result) * abs(now[0]))
    return _Response(shift, was[0], now[0], was[0] + amount, claim)


@check(
    id="result-reads-state",
    level=MUST,
    requirement="`result[0]` comes from the Variable: when we change its value, `result[0]` changes by as much.",
    remedy="Return `model.count.value` of the model that was called, not a number beside it.",
    wrong="return jnp.array([n_calls, last_x.sum()])",
    right="return jnp.array([model.count.value, last_x.sum()])",
    probes=(SHIFTS,),
    needs=(a_pair, updates_kept, a_state_shift),
    claims=lambda _, reading: [response.claim for response in _deciding(reading)],
)
def result_reads_state(_: Case, reading: CounterReading) -> Judgement:
    short = next((response for response in _deciding(reading) if not response.claim.holds()), None)
    if short is None:
        return None
    up, stayed = short.shift.amount > 0, short.now == short.was
    change = f"the kit {'raised' if up else 'lowered'} the count by {abs(short.shift.amount)} {short.shift.moment}"
    if not stayed:
        cause = "the candidate mixes the Variable with another number; result[0] must be what the Variable holds"
    elif up:
        cause = "the candidate computes result[0] without the Variable: the model is decoration"
    else:
        cause = "result[0] is the larger of the count and another number"
    return Violation(
        f"{change}; result[0] {rise(short.now - short.was)}",
        f"result[0] other than {short.was:g}" if stayed else f"{short.wanted:g}",
        f"{short.now:g}",
        line=blame.returned(reading.run),
        cause=cause,
        # With a single call it does not show that traces drop what calls write.
        because=(COUNT, TRACED) if ends_otherwise(reading.run, reading.facts.untraced) else (COUNT,),
    )


def _deciding(reading: CounterReading) -> Iterator[_Response]:
    """What result[0] did under each change that it must follow."""
    tried = _state_shifts(reading)
    built = [shift for shift in tried if shift.moment is Moment.CONSTRUCTION]
    calls = [shift for shift in tried if shift.moment is Moment.EVERY_CALL]
    raised = [shift for shift in tried if shift.moment is Moment.LAST_CALL and shift.amount > 0]
    lowered = [shift for shift in tried if shift.moment is Moment.LAST_CALL and shift.amount < 0]

    def follows(shift: Intervention) -> bool:
        return (response := _count_under(reading, shift)) is None or response.claim.holds()

    # Of what is there from the start, a difference to it shows nothing; it follows what each call adds.
    deciding = built if not calls or not follows(calls[0]) else []
    deciding = deciding if built else raised
    if deciding and (response := _count_under(reading, deciding[0])):
        yield response
    # Another number may be put in the place of a count that is implausible: this amount is a large one. It says
    # something only where the run in which it was made counts right; without compilation, states may share Variables.
    kept = next((shift for shift in tried if shift.moment is Moment.FIRST_CALL), None)
    kept = kept if kept and kept.calls == len(reading.clear.calls) else None
    if kept and (response := _count_under(reading, kept)) and response.was == reading.asked:
        yield response
    # A loop that goes on until the count is reached has made up for what was taken away.
    made_up = any(shift.calls != len(reading.clear.calls) for shift in lowered)
    # Where it does not follow what is raised either, it is read at another time, and not the larger one of two.
    if lowered and raised and not made_up and follows(raised[0]) and (response := _count_under(reading, lowered[0])):
        yield response


def _sum_follows(case: Case, reading: CounterReading) -> list[Claim]:
    """What result[1] must be; nothing where it may be so because a sum as large as this loses what was added."""
    response = _sum_under(case["x"], reading, _output_shifts(reading)[0])
    lost = response is None or (response.now == response.was and response.claim.holds())
    return [] if response is None or lost else [response.claim]


@check(
    id="result-reads-output",
    level=MUST,
    requirement="`result[1]` comes from what the last call returned: when we change its elements, `result[1]` changes"
    " by the sum of the changes.",
    remedy="Keep the output of the last call, `last_x = model(x)`, and return `last_x.sum()`.",
    wrong="model(x)\nreturn jnp.array([model.count.value, x.sum()])",
    right="last_x = model(x)\nreturn jnp.array([model.count.value, last_x.sum()])",
    probes=(SHIFTS,),
    needs=(a_pair, a_finite_sum, an_output_shift),
    claims=_sum_follows,
)
def result_reads_output(case: Case, reading: CounterReading) -> Judgement:
    short = _sum_under(case["x"], reading, _output_shifts(reading)[0])
    if short is None:
        return None
    if short.claim.holds():
        return Unseen(LOST_IN_ROUNDING) if short.now == short.was else None
    stayed, amount = short.now == short.was, short.wanted - short.was
    by = f"{amount:g}" if case["x"].size == 1 else f"{amount:g} in sum"
    return Violation(
        f"the kit raised what the last call returned by {by}; result[1] {rise(short.now - short.was)}",
        f"result[1] other than {short.was:g}" if stayed else f"{short.wanted:g}",
        f"{short.now:g}",
        line=blame.returned(reading.run),
        cause="the candidate computes result[1] from something other than the last call's output, such as x itself"
        if stayed
        else "the candidate mixes the last call's output with something else, such as x itself",
        because=(OUTPUT, SUM),
    )


def _sum_under(x: np.ndarray, reading: CounterReading, shift: Intervention) -> _Response | None:
    """What result[1] did; it must rise by what the kit added to the elements; an empty output cannot show it."""
    was, now = _before(reading, shift), pair_of(shift.outcome.result)
    if was is None or now is None:
        return None
    first, last = expected_sum(x), _sum_with(x, 1, own_amounts(x.size))
    wanted = was[1] + last.value - first.value
    half = rounding(reading.clear.result) * abs(was[1])
    if not near(was[1], first.value, first.bound + half).holds():
        return _Response(shift, was[1], now[1], wanted, another(now[1], was[1]))
    unit = rounding(shift.outcome.result) * abs(now[1])
    ways = [own_amounts(x.size)]
    if any(call.mapping >= 0 for call in reading.clear.calls):
        ways.append(np.full(x.size, own_amounts(1)[0]))  # each lane has an output of its own
    sums = (_sum_with(x, times, amounts) for times, amounts in itertools.product(_calls_around(reading), ways))
    rises = (near(now[1], right.value, right.bound + unit) for right in sums)
    # Where both are within the error bound of the sum, nothing follows.
    claim = next((rise for rise in rises if rise.holds()), near(now[1], wanted, first.bound + last.bound + half))
    return _Response(shift, was[1], now[1], wanted, claim)


def _sum_with(x: np.ndarray, times: int, amounts: np.ndarray) -> Sum:
    """The sum of `x` when so many calls have added to each element its own amount."""
    for _ in range(times):
        x = (x + amounts.reshape(x.shape).astype(x.dtype)).astype(x.dtype)
    return expected_sum(x)
