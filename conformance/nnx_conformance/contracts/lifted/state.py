"""Checks of the models' state: where it keeps the counts, one a lane, and how each call raises them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.checks import another_framework, count_in_param, wrapper_lost
from nnx_conformance.contracts.lifted.reading import (
    COUNTED,
    INCREMENT,
    LIFTED,
    PER_LANE,
    VISIBLE,
    LanesReading,
    concrete,
)
from nnx_conformance.contracts.reading import IN_VARIABLE, WRAPPER, first_loss, unless
from nnx_conformance.contracts.wording import numbers_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, at_most, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check


def _no_wrapper_lost(reading: LanesReading) -> Unmet:
    """Need: the plain run loses no wrapper."""
    return Blocked(WRAPPER) if first_loss(reading.run) else None


def _counted(_: Case, reading: LanesReading) -> Iterator[Claim]:
    """The claims that a Variable moves, starts at 0 in each model, and reaches `n_calls` if its calls are complete."""
    count = reading.variable
    yield same_numbers([bool(reading.foreign), not reading.created, count is None], False)
    if count is None:
        return
    first, last = count.moments[0][0], count.moments[-1][1]
    yield same_numbers(np.array_equal(np.unique(first), np.unique(last)), False)  # calls may run different lanes
    yield from (same_numbers(start, 0) for start in count.starts())
    if _has_all_calls(reading):
        yield at_most(reading.requested_calls, count.reached)


@check(
    id=IN_VARIABLE,
    level=MUST,
    requirement="The candidate makes an `nnx.Module`, and an `nnx.Variable` of it counts from 0 to `int(n_calls)`.",
    remedy="Keep the count in `self.count = nnx.Variable(jnp.array(0.0))`, and let `__call__` add to it.",
    wrong="self.count = 0  # a Python int is not NNX state",
    right="self.count = nnx.Variable(jnp.array(0.0))",
    needs=(
        unless(lambda reading: reading.foreign, *VISIBLE),
        unless(lambda reading: reading.foreign or not reading.created, _no_wrapper_lost, concrete),
    ),
    claims=_counted,
)
def counts_in_variable(_: Case, reading: LanesReading) -> Judgement:
    if reading.foreign:
        return another_framework(reading.facts)
    if not reading.created:
        return Violation("the call made no nnx.Module", "a module with a counting nnx.Variable", "no module")
    if (count := reading.variable) is None:
        line = blame.returned(reading.run)
        return Violation("no nnx.Variable of the module counts", "an nnx.Variable", "none", line=line)
    first, last = count.moments[0][0], count.moments[-1][1]
    if np.array_equal(np.unique(first), np.unique(last)):
        what = f"`{count.slot.path}` stays at {numbers_text(last)}: the module's Variables do not count"
        return Violation(what, "an nnx.Variable that counts", "none", line=count.calls[0].line, because=(LIFTED,))
    started = next((start for start in count.starts() if np.any(start != 0)), None)
    if started is None:
        return (
            _shared_out(reading) if _has_all_calls(reading) and not count.reached >= reading.requested_calls else None
        )
    observed, line = numbers_text(started), next((module.line for module in count.run.modules if module.created), None)
    cause = "the count does not start at 0, or the candidate makes new models for a call, with the count so far"
    return Violation(f"`{count.slot.path}` of a model starts at {observed}", "0", observed, line=line, cause=cause)


def _has_all_calls(reading: LanesReading) -> bool:
    """Whether the calls are complete, and no scan may have broadcast the model and dropped its writes."""
    count, requested, rows = reading.count, reading.requested_calls, reading.rows(reading.run.result)
    wrong = rows is None or bool(np.any(rows[:, 0] != requested))
    dropped = wrong and any("nnx.scan" in call.through for call in count.calls)
    return count.lane_calls == (count.maps() or reading.lanes) * requested and not dropped


def _shared_out(reading: LanesReading) -> Violation:
    """The violation of complete calls that several models share, so that no count reaches their number."""
    count, requested = reading.count, reading.requested_calls
    path, reached, line = count.slot.path, f"{count.reached:g}", count.calls[0].line
    what = f"`{path}` of no model goes beyond {reached}, though {requested} calls were made in each lane"
    cause = "a lane's calls go to several models, and each counts only its own calls"
    return Violation(what, f"a count that goes to {requested}", reached, line=line, cause=cause, because=(INCREMENT,))


def _several_lanes(reading: LanesReading) -> Unmet:
    """Need: there is more than one lane."""
    return Unseen("with one lane there is nothing to share") if reading.lanes == 1 else None


def _counts_of_lanes(_: Case, reading: LanesReading) -> Iterator[Claim]:
    """The claims that lanes do not share one number, and that no count adds up the calls of all lanes."""
    count, total = reading.count, reading.lanes * reading.requested_calls
    if count.maps():
        return
    if count.single and any("nnx.vmap" in call.through for call in count.calls):
        yield at_most(total, count.lane_calls)
    if count.by_one and count.lane_calls == total:
        yield at_most(count.went_to, reading.requested_calls)


@check(
    id=PER_LANE,
    level=MUST,
    requirement="Each lane has a count of its own.",
    remedy="Make a model for each lane: in `nnx.vmap`, and map over them with `in_axes=0`, not None; or in a Python "
    "loop over the lanes.",
    wrong="nnx.vmap(step, in_axes=(None, 0))(model, xs)  # one model, and one count, for all lanes",
    right="models = nnx.vmap(Counter)(keys)\nnnx.vmap(step, in_axes=(0, 0))(models, xs)",
    needs=(*COUNTED, _several_lanes),
    claims=_counts_of_lanes,
)
def one_count_per_lane(_: Case, reading: LanesReading) -> Judgement:
    count, lanes, requested = reading.count, reading.lanes, reading.requested_calls
    if count.maps():
        return None
    numbers, line = (f"{lanes} counts", "one count"), count.calls[0].line
    mapped = any("nnx.vmap" in call.through for call in count.calls)
    if mapped and count.single and count.lane_calls < lanes * requested:
        what = f"`{count.slot.path}` is one number for all {lanes} lanes"
        cause = "the model is broadcast by `nnx.vmap`, so all lanes share its count"
        return Violation(what, *numbers, line=line, cause=cause)
    if not count.by_one or count.lane_calls != lanes * requested or count.went_to <= requested:
        return None
    what = f"`{count.slot.path}` went to {count.went_to:g} in {lanes} lanes of {requested} calls"
    cause = "the candidate calls one model for all lanes, so its count adds up over them"
    return Violation(what, *numbers, line=line, cause=cause)


def _increments(_: Case, reading: LanesReading) -> Iterator[Claim]:
    """The claims that each call adds 1 to each lane's count, and that there are `n_calls` calls in each lane."""
    count = reading.count
    if count.lane_by_lane(reading.lanes, reading.requested_calls):
        yield same_numbers(sum(after - before for before, after in count.moments), reading.requested_calls)
        return
    yield from (same_numbers(after - before, 1) for before, after in count.moments)
    yield same_numbers(count.lane_calls, (count.maps() or reading.lanes) * reading.requested_calls)


@check(
    id=INCREMENT,
    level=MUST,
    requirement="Each lane's module is called exactly `int(n_calls)` times, and each call adds 1 to its count.",
    remedy="Call the model once in the loop or in the body of the scan, `int(n_calls)` times.",
    wrong="for _ in range(1, int(n_calls)):  # one call short\n    ys = step(models, xs)",
    right="for _ in range(int(n_calls)):\n    ys = step(models, xs)",
    needs=COUNTED,
    claims=_increments,
)
def one_increment_per_call(_: Case, reading: LanesReading) -> Judgement:
    count = reading.count
    for number, ((before, after), call) in enumerate(zip(count.moments, count.calls, strict=True), start=1):
        if np.any(after - before != 1):
            what = f"call {number} took `{count.slot.path}` from {numbers_text(before)} to {numbers_text(after)}"
            return Violation(what, numbers_text(before + 1), numbers_text(after), line=call.line, because=(PER_LANE,))
    maps = count.maps()
    requested = (maps or reading.lanes) * reading.requested_calls
    over = "in each lane" if maps == 1 else "over all lanes"
    what = f"the module was called {count.lane_calls} times {over}, not {requested}"
    return Violation(what, str(requested), str(count.lane_calls), line=count.calls[-1].line, because=(PER_LANE,))


@check(
    id="counter-not-param",
    level=MUST,
    requirement="The counting Variable is neither an `nnx.Param` nor a subclass of it.",
    remedy="Use `nnx.Variable`, or a subclass of your own: an optimiser updates every Param.",
    wrong="self.count = nnx.Param(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
    needs=COUNTED,
    claims=lambda _, reading: [claims.no_param(reading.count.slot)],
)
def counter_not_param(_: Case, reading: LanesReading) -> Judgement:
    slot, line = reading.count.slot, reading.count.calls[0].line
    return count_in_param(slot, line=line, cause="a Param is what optimisers train") if slot.param else None


@check(
    id=WRAPPER,
    level=MUST,
    requirement="Every attribute that held a Variable still holds one.",
    remedy="Write to the contents, `self.count.value = self.count.value + 1.0`.",
    wrong="self.count = self.count + 1.0",
    right="self.count.value = self.count.value + 1.0",
    needs=(unless(lambda reading: reading.lost, *VISIBLE),),
    claims=lambda _, reading: claims.wrappers(*reading.runs),
)
def wrapper_kept(_: Case, reading: LanesReading) -> Judgement:
    return wrapper_lost(*reading.lost) if reading.lost else None
