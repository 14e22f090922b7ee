"""Checks of the module's state: where it keeps the count, and in which type of Variable."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.checks import another_framework, count_in_param, wrapper_lost
from nnx_conformance.contracts.counter.reading import (
    INCREMENT,
    CounterReading,
    a_counter,
    a_variable,
    judgeable,
    none_dropped,
)
from nnx_conformance.contracts.reading import FRESH, IN_VARIABLE, TRACED, WRAPPER, first_loss, unless
from nnx_conformance.contracts.wording import number_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Violation, check
from nnx_conformance.core.facts import Run, Slot
from nnx_conformance.core.plan import Moment
from nnx_conformance.core.timeline import state
from nnx_conformance.core.trail import ChangeKind


def _counted(_: Case, reading: CounterReading) -> Iterator[Claim]:
    """The claims that a Variable goes from 0 to `n_calls`, and that no call overwrites it."""
    yield same_numbers([bool(reading.facts.foreign), not reading.created], False)
    yield same_numbers(not reading.movements, False)
    kept = [move for move in reading.counting if move.slot.path not in reading.overwritten]
    if move := next(iter(kept or reading.counting or reading.movements), None):
        overwritten = (move.slot.path in reading.overwritten, reading.reads_overwritten)
        yield same_numbers([move.first, move.last, *overwritten], [0, reading.requested_calls, False, False])


@check(
    id=IN_VARIABLE,
    level=MUST,
    requirement="The candidate makes an `nnx.Module`, and an `nnx.Variable` of it goes from 0 to `int(n_calls)`.",
    remedy="Keep the count in `self.count = nnx.Variable(jnp.array(0.0))` of a module made inside the function, and "
    "let `__call__` add to it.",
    wrong="self.count = 0  # a Python int is not NNX state",
    right="self.count = nnx.Variable(jnp.array(0.0))",
    needs=(unless(lambda reading: reading.facts.foreign, judgeable), none_dropped),
    claims=_counted,
)
def counts_in_variable(_: Case, reading: CounterReading) -> Judgement:
    if reading.facts.foreign:
        return another_framework(reading.facts)
    if not reading.created:
        return _kept_module(reading.clear) if reading.clear.modules else _no_module(reading.clear)
    if not reading.counting:
        return _other_cause(reading) or _not_counted(reading)
    paths = [move.slot.path for move in reading.counting]
    path = next((path for path in paths if path in reading.overwritten), paths[0])
    amount = reading.shifts(Moment.FIRST_CALL)[0].amount
    return Violation(
        f"the kit raised `{path}` by {amount} after the first call; the next call set it back",
        line=blame.moved_at(reading.clear, path, inside=True),
        cause="the calls only write to the Variable: a Python number or the loop does the counting",
    )


def _no_module(run: Run) -> Violation:
    written = blame.written(run)
    cause = f"`{written.name}` is written to, and no nnx.Module holds that Variable" if written else ""
    return Violation(
        "the call created no nnx.Module",
        "a module with a counting nnx.Variable",
        "no module",
        line=written.line if written else blame.returned(run),
        cause=cause or "the candidate computes the result without NNX state",
    )


def _kept_module(run: Run) -> Violation:
    keeper = blame.keeper(run)
    cause = f"{keeper.name} holds the model from before the call" if keeper else ""
    return Violation(
        f"the call used a {run.modules[0].name} that was made before it",
        "a module made by the call",
        "a module that outlives it",
        line=(keeper.home if keeper else None) or (run.calls[0].line if run.calls else None),
        cause=cause or "the candidate builds the model at module level, in a default argument or in a cache",
        because=(FRESH,),
    )


def _other_cause(reading: CounterReading) -> Unmet:
    """The violated check that explains why no Variable counts, or why we cannot know."""
    if reading.lost_in_trace:
        return Blocked(TRACED)
    if first_loss(reading.clear):
        return Blocked(WRAPPER)
    count, calls = reading.pair, len(reading.calls)
    true_to_other_calls = count is not None and calls != reading.requested_calls and count[0] == calls
    if any(move.first == 0 for move in reading.movements) or reading.unmoved or true_to_other_calls:
        return Blocked(INCREMENT)  # a Variable counts, but not once a call
    return None if reading.movements else reading.hidden


def _not_counted(reading: CounterReading) -> Violation:
    run, requested = reading.clear, number_text(reading.requested_calls)
    if reading.movements:
        move = reading.movements[0]
        first, last = number_text(move.first), number_text(move.last)
        return Violation(
            f"`{move.slot.path}` went from {first} to {last}",
            f"from 0 to {requested}",
            f"from {first} to {last}",
            line=blame.constructed_at(run, move.slot.path),
            cause="the Variable does not start at 0",
        )
    attribute, counted = _counting_attribute(reading), blame.counted_at(run)
    outlives = counted is not None and counted.kind is ChangeKind.OUTLIVING
    outside = f"; {counted.name} changes in the calls" if counted and outlives else ""
    return Violation(
        f"no nnx.Variable of the module went from 0 to {requested}",
        f"an nnx.Variable that goes from 0 to {requested}",
        attribute or "none that changes",
        line=counted.line if counted else blame.returned(reading.run),
        cause=attribute or f"nothing in the module's Variables moves: the count is kept outside of them{outside}",
        because=(*reading.caught_trace, *((FRESH,) if outlives else ())),
    )


def _counting_attribute(reading: CounterReading) -> str:
    """A phrase for the module's attribute that counts though it is no Variable; empty if there is none."""
    finished = [call for call in reading.calls if call.after is not None]
    if not finished or finished[-1].after is None:
        return ""
    before, after = state(reading.clear, finished[0].before), state(reading.clear, finished[-1].after)
    for path, (slot, last) in after.items():
        first = before.get(path, (slot, None))[1]
        if not slot.counts and not slot.rng and last == reading.requested_calls and first != last:
            return f"`{path}`, of type {slot.type}, does the counting"
    return ""


@check(
    id=WRAPPER,
    level=MUST,
    requirement="Every attribute that held a Variable still holds one.",
    remedy="Write to the contents, `self.count.value = self.count.value + 1.0`.",
    wrong="self.count = self.count + 1.0",
    right="self.count.value = self.count.value + 1.0",
    needs=(unless(lambda reading: reading.lost, judgeable, a_variable),),
    claims=lambda _, reading: claims.wrappers(reading.run, reading.clear),
)
def wrapper_kept(_: Case, reading: CounterReading) -> Judgement:
    if reading.lost is None:
        return None
    run, loss = reading.lost
    moment = f"in call {loss.call + 1} of {max(len(reading.run.calls), loss.call + 1)}"
    return wrapper_lost(run, loss, moment=f"{moment if loss.call >= 0 else 'outside the calls'}, ")


def _counting_param(reading: CounterReading) -> Slot | None:
    """The counting Variable, if it is a Param: only Params move, or the result follows only Params."""
    slots = [move.slot for move in reading.movements] or _only_variable(reading.clear)
    params = [slot for slot in slots if slot.param]
    return params[0] if params and (len(params) == len(slots) or reading.reads_param) else None


def _only_variable(run: Run) -> list[Slot]:
    """The only Variable of the run's modules, if it is a Param; used if nothing moved to show which one counts."""
    starts = [state(run, module.start) for module in run.modules if module.start is not None]
    slots = {slot for start in starts for slot, _ in start.values() if slot.counts}
    return list(slots) if len(slots) == 1 and next(iter(slots)).param else []


def _not_param(_: Case, reading: CounterReading) -> list[Claim]:
    """The claim that the counting Variable is no Param."""
    slots = [move.slot for move in reading.movements] or _only_variable(reading.clear)
    slot = _counting_param(reading) or next((slot for slot in slots if not slot.param), None)
    return [] if slot is None else [claims.no_param(slot)]


@check(
    id="counter-not-param",
    level=MUST,
    requirement="The counting Variable is neither an `nnx.Param` nor a subclass of it.",
    remedy="Use `nnx.Variable`, or a subclass of your own: an optimiser updates every Param, weight decay even without "
    "a gradient.",
    wrong="self.count = nnx.Param(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
    needs=(unless(_counting_param, judgeable, a_counter),),
    claims=_not_param,
)
def counter_not_param(_: Case, reading: CounterReading) -> Judgement:
    if not (param := _counting_param(reading)):
        return None
    cause = "a Param is what optimisers train: weight decay alone would change the count"
    return count_in_param(param, line=blame.constructed_at(reading.clear, param.path), cause=cause)
