"""Checks by intervention: whether the result comes from the module's state and from the last call's output."""

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
    """The interventions on the state that the result must follow."""
    moments = (Moment.LAST_CALL, Moment.CONSTRUCTION, Moment.EVERY_CALL)
    return [*(shift for shift in reading.shifts(*moments) if shift.applied), *reading.kept_shifts]


def _output_shifts(reading: CounterReading) -> list[Intervention]:
    return [shift for shift in reading.facts.shifts if shift.changed is Changed.OUTPUT]


def a_state_shift(reading: CounterReading) -> Unmet:
    """Need: the kit could change the count."""
    return None if _state_shifts(reading) else reading.hidden or reading.no_counter


def an_output_shift(reading: CounterReading) -> Unmet:
    """Need: the kit could change what the last call returned."""
    shifts = _output_shifts(reading)
    if any(shift.applied for shift in shifts):
        return None
    by = OUTPUT if shifts else INCREMENT if reading.created else IN_VARIABLE
    return reading.hidden or Blocked(by)


def a_finite_sum(reading: CounterReading) -> Unmet:
    """Need: the sum is finite; otherwise adding to it does not show."""
    return None if reading.pair is None or math.isfinite(reading.pair[1]) else Blocked(SUM)


@dataclass(frozen=True, eq=False)
class _Response:
    """How a part of the result reacted to an intervention.

    Attributes:
        before, after: the part without the intervention, and with it.
        expected: the part with it, as messages show it.
        claim: what must hold. If the exact value cannot be known, only that the part changed.
    """

    shift: Intervention
    before: float
    after: float
    expected: float
    claim: Claim


def _base(reading: CounterReading, shift: Intervention) -> np.ndarray | None:
    """The pair without the intervention, from the kind of run that the intervention repeats."""
    plain = shift.moment in (Moment.CONSTRUCTION, Moment.EVERY_CALL)
    return pair_of((reading.run if plain else reading.clear).result)


def _repetitions(reading: CounterReading) -> range:
    """How often a change may count: once for each module, if each call makes a module from the last one's state."""
    return range(1, max(1, len(groups(reading.clear)), len(created(reading.run))) + 1)


def _count_under(reading: CounterReading, shift: Intervention) -> _Response | None:
    """How result[0] reacted: it must rise by the amount added, or just change if the exact rise cannot be known."""
    base, pair = _base(reading, shift), pair_of(shift.outcome.result)
    if base is None or pair is None:
        return None  # an exception: the candidate read the change
    before, after = base[0], pair[0]
    amount = shift.amount * (reading.requested_calls if shift.moment is Moment.EVERY_CALL else 1)
    once = shift.moment in (Moment.FIRST_CALL, Moment.LAST_CALL)
    calls_alike = not once or shift.calls == len(reading.clear.calls)
    if before != reading.requested_calls or not shift.exact or not calls_alike:
        return _Response(shift, before, after, before + amount, another(after, before))
    rises = [amount * times for times in _repetitions(reading)]
    if shift.moment is Moment.CONSTRUCTION:
        # A compiled loop that runs until its count is reached makes no call; an 8-bit dtype wraps around on the way.
        rises += [rise - reading.requested_calls for rise in rises] + [rise - 256 for rise in rises]
    right = min((before + rise for rise in rises), key=lambda right: abs(after - right))
    claim = near(after, right, rounding(shift.outcome.result) * abs(after))
    return _Response(shift, before, after, before + amount, claim)


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
    response = next((response for response in _deciding(reading) if not response.claim.holds()), None)
    if response is None:
        return None
    shift, before, after = response.shift, response.before, response.after
    up, stayed = shift.amount > 0, after == before
    change = f"the kit {'raised' if up else 'lowered'} the count by {abs(shift.amount)} {shift.moment}"
    if not stayed:
        cause = "the candidate mixes the Variable with another number; result[0] must be what the Variable holds"
    elif up:
        cause = "the candidate computes result[0] without the Variable: the model is decoration"
    else:
        cause = "result[0] is the larger of the count and another number"
    return Violation(
        f"{change}; result[0] {rise(after - before)}",
        f"result[0] other than {before:g}" if stayed else f"{response.expected:g}",
        f"{after:g}",
        line=blame.returned(reading.run),
        cause=cause,
        # A single call does not show otherwise that traces drop what calls write.
        because=(COUNT, TRACED) if ends_otherwise(reading.run, reading.facts.untraced) else (COUNT,),
    )


def _deciding(reading: CounterReading) -> Iterator[_Response]:
    """How result[0] reacted to each intervention that it must follow."""
    shifts = _state_shifts(reading)
    built = [shift for shift in shifts if shift.moment is Moment.CONSTRUCTION]
    every_call = [shift for shift in shifts if shift.moment is Moment.EVERY_CALL]
    raised = [shift for shift in shifts if shift.moment is Moment.LAST_CALL and shift.amount > 0]
    lowered = [shift for shift in shifts if shift.moment is Moment.LAST_CALL and shift.amount < 0]

    def follows(shift: Intervention) -> bool:
        return (response := _count_under(reading, shift)) is None or response.claim.holds()

    # A result that subtracts the first count does not follow a change of it, but follows what each call adds.
    deciding = built if not every_call or not follows(every_call[0]) else []
    deciding = deciding if built else raised
    if deciding and (response := _count_under(reading, deciding[0])):
        yield response
    # A candidate may return another number if the count is implausible, so this amount is a large one. It decides only
    # if the run counted right without it: without compilation, states may share Variables.
    first = next((shift for shift in shifts if shift.moment is Moment.FIRST_CALL), None)
    first = first if first and first.calls == len(reading.clear.calls) else None
    if first and (response := _count_under(reading, first)) and response.before == reading.requested_calls:
        yield response
    # A loop that runs until the count is reached makes up for a lowered count with further calls.
    made_up = any(shift.calls != len(reading.clear.calls) for shift in lowered)
    # Lowering shows a maximum of the count and another number, but only if the result follows a raised count.
    if lowered and raised and not made_up and follows(raised[0]) and (response := _count_under(reading, lowered[0])):
        yield response


def _sum_follows(case: Case, reading: CounterReading) -> list[Claim]:
    """The claim on result[1]; none if its sum is so large that rounding may hide the change."""
    response = _sum_under(case["x"], reading, _output_shifts(reading)[0])
    lost = response is None or (response.after == response.before and response.claim.holds())
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
    response = _sum_under(case["x"], reading, _output_shifts(reading)[0])
    if response is None:
        return None
    before, after = response.before, response.after
    if response.claim.holds():
        return Unseen(LOST_IN_ROUNDING) if after == before else None
    stayed, amount = after == before, response.expected - before
    by = f"{amount:g}" if case["x"].size == 1 else f"{amount:g} in sum"
    return Violation(
        f"the kit raised what the last call returned by {by}; result[1] {rise(after - before)}",
        f"result[1] other than {before:g}" if stayed else f"{response.expected:g}",
        f"{after:g}",
        line=blame.returned(reading.run),
        cause="the candidate computes result[1] from something other than the last call's output, such as x itself"
        if stayed
        else "the candidate mixes the last call's output with something else, such as x itself",
        because=(OUTPUT, SUM),
    )


def _sum_under(x: np.ndarray, reading: CounterReading, shift: Intervention) -> _Response | None:
    """How result[1] reacted: it must rise by the sum of the amounts added to the elements."""
    base, pair = _base(reading, shift), pair_of(shift.outcome.result)
    if base is None or pair is None:
        return None
    before, after = base[1], pair[1]
    plain, raised = expected_sum(x), _sum_with(x, 1, own_amounts(x.size))
    expected = before + raised.value - plain.value
    rounded = rounding(reading.clear.result) * abs(before)
    if not near(before, plain.value, plain.bound + rounded).holds():
        return _Response(shift, before, after, expected, another(after, before))
    unit = rounding(shift.outcome.result) * abs(after)
    additions = [own_amounts(x.size)]
    if any(call.mapping >= 0 for call in reading.clear.calls):
        additions.append(np.full(x.size, own_amounts(1)[0]))  # each lane has an output of its own
    sums = (_sum_with(x, times, amounts) for times, amounts in itertools.product(_repetitions(reading), additions))
    claims = (near(after, right.value, right.bound + unit) for right in sums)
    # If the rise is within the error bound of the sum, the claim holds, and decides nothing.
    fallback = near(after, expected, plain.bound + raised.bound + rounded)
    claim = next((claim for claim in claims if claim.holds()), fallback)
    return _Response(shift, before, after, expected, claim)


def _sum_with(x: np.ndarray, times: int, amounts: np.ndarray) -> Sum:
    """The sum of `x` after `times` calls have added its own amount to each element."""
    for _ in range(times):
        x = (x + amounts.reshape(x.shape).astype(x.dtype)).astype(x.dtype)
    return expected_sum(x)
