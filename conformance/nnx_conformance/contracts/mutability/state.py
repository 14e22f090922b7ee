"""Checks of the module's state: where the count lives, and what it is wrapped in."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    FRESH,
    IN_VARIABLE,
    INCREMENT,
    TRACED,
    WRAPPER,
    Loss,
    base,
    calls_asked,
    caught_trace,
    counting,
    excuse,
    hidden,
    losses,
    lost_in_trace,
    made,
    movements,
    no_counter,
    pair,
    reads_overwritten,
    reads_param,
    text,
    unmoved,
)
from nnx_conformance.observation import Observation, Run, Slot
from nnx_conformance.timeline import main_calls, moved, state


@check(
    id=IN_VARIABLE,
    level=MUST,
    requirement="The call creates an `nnx.Module`, and an `nnx.Variable` in its graph goes from 0 to `int(n_calls)`.",
    remedy="Keep the count in `self.count = nnx.Variable(jnp.array(0.0))` of a module made inside the function, and "
    "let `__call__` raise it.",
    wrong="self.count = 0  # a Python int is not NNX state",
    right="self.count = nnx.Variable(jnp.array(0.0))",
)
def counts_in_variable(case: Case, seen: Observation) -> Judgement:
    if seen.foreign:
        return of_another_framework(seen)
    if excused := excuse(case, seen):
        return excused
    run = base(seen)
    if not made(run):
        return _no_module(run)
    found = counting(seen, case)
    if not found:
        return _not_counted(case, seen)
    overwritten = _overwritten(seen)
    if all(move.slot.path in overwritten for move in found) or reads_overwritten(seen):
        path = next((move.slot.path for move in found if move.slot.path in overwritten), found[0].slot.path)
        return Violation(
            f"the kit raised `{path}` by {_far(seen)} after the first call; the next call set it back",
            line=places.moved_at(run, path, inside=True),
            cause="the Variable is only written to: the counting is done elsewhere, in a Python number or the loop",
        )
    return None


def of_another_framework(seen: Observation) -> Violation:
    """What is said of a candidate that makes a module of another framework, and none of NNX."""
    what = f"the call created a {seen.foreign}, and this contract is about Flax NNX"
    cause = "the state of another framework is none that this contract can look at"
    line = next((module.line for module in seen.run.modules), None) or places.returned(seen)
    return Violation(what, "an nnx.Module", seen.foreign, line=line, cause=cause)


def _no_module(run: Run) -> Violation:
    if run.modules:
        return _kept_module(run)
    written = places.written(run)
    cause = f"`{written.name}` is written to, and no nnx.Module holds that Variable" if written else ""
    return Violation(
        "the call created no nnx.Module",
        "a module with a counting nnx.Variable",
        "no module",
        line=written.line if written else places.returned_in(run),
        cause=cause or "the result is computed without NNX state",
    )


def _kept_module(run: Run) -> Violation:
    keeper = places.keeper(run)
    cause = f"{keeper.name} holds the model from before the call" if keeper else ""
    return Violation(
        f"the call used a {run.modules[0].name} that was made before it",
        "a module made by the call",
        "a module that outlives it",
        line=(keeper.home if keeper else None) or (run.calls[0].line if run.calls else None),
        cause=cause or "the model is built at module level, in a default argument or in a cache",
        follows=(FRESH,),
    )


def _overwritten(seen: Observation) -> set[str]:
    """The Variables that did not keep what the kit added after the first call."""
    run = base(seen)
    paths = moved(run, main_calls(run))
    for shift in seen.shifts:
        if shift.when == "after the first call" and shift.applied and shift.outcome.raised is None:
            ends = zip(paths, shift.end, seen.base_end, strict=False)
            return {path for path, end, was in ends if end == was}
    return set()


def _far(seen: Observation) -> int:
    return next(shift.amount for shift in seen.shifts if shift.when == "after the first call")


def _not_counted(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    if lost_in_trace(seen, case):
        return Blocked(TRACED)
    if next(losses(run), None):
        return Blocked(WRAPPER)
    asked = calls_asked(case)
    moves = movements(run)
    if any(move.first == 0 for move in moves) or unmoved(case, seen) or _called_too_rarely(case, seen):
        return Blocked(INCREMENT)  # a Variable does count, but not once a call
    if moves:
        move = moves[0]
        return Violation(
            f"`{move.slot.path}` went from {text(move.first)} to {text(move.last)}",
            f"from 0 to {asked}",
            f"from {text(move.first)} to {text(move.last)}",
            line=places.made_at(run, move.slot.path),
            cause="the Variable does not start at 0",
        )
    if unseen := hidden(case, seen):
        return unseen
    counted = places.counted_at(run)
    outside = f"; {counted.name} changes in the calls" if counted and counted.kind == "kept" else ""
    return Violation(
        f"no nnx.Variable of the module went from 0 to {asked}",
        f"an nnx.Variable that goes from 0 to {asked}",
        _elsewhere(run, asked) or "none that changes",
        line=counted.line if counted else places.returned(seen),
        cause=_elsewhere(run, asked)
        or f"nothing in the module's Variables moves: the count is kept outside of them{outside}",
        follows=(*caught_trace(run), *((FRESH,) if counted and counted.kind == "kept" else ())),
    )


def _called_too_rarely(case: Case, seen: Observation) -> bool:
    """Whether the result tells of the calls that were made, which were not as many as asked."""
    result, calls = pair(seen), len(main_calls(base(seen)))
    return result is not None and calls != calls_asked(case) and result[0] == calls


def _elsewhere(run: Run, asked: int) -> str:
    """Which attribute that is no Variable did the counting, if one of the module did."""
    calls = [call for call in main_calls(run) if call.after is not None]
    if not calls or calls[-1].after is None:
        return ""
    before, after = state(run, calls[0].before), state(run, calls[-1].after)
    for path, (slot, last) in after.items():
        first = before.get(path, (slot, None))[1]
        if not slot.counts and not slot.rng and last == asked and first != last:
            return f"`{path}`, of type {slot.type}, does the counting"
    return ""


@check(
    id=WRAPPER,
    level=MUST,
    requirement="No attribute that held a Variable is replaced by something that is not one.",
    remedy="Write to the contents, `self.count.value = self.count.value + 1.0`, or from Flax 0.10.7 on "
    "`self.count[...] = self.count[...] + 1.0`.",
    wrong="self.count = self.count + 1.0",
    right="self.count.value = self.count.value + 1.0",
)
def wrapper_kept(case: Case, seen: Observation) -> Judgement:
    for run in (seen.run, base(seen)):
        if loss := next(losses(run), None):
            return _lost(seen, run, loss)
    if excused := excuse(case, seen):
        return excused
    return None if _variables(base(seen)) else Blocked(IN_VARIABLE)


def _lost(seen: Observation, run: Run, loss: Loss) -> Violation:
    total = len(seen.run.calls)
    place = "element" if loss.target.endswith("]") or loss.target.rpartition(".")[2].isdigit() else "attribute"
    moment = f"in call {loss.call + 1} of {max(total, loss.call + 1)}" if loss.call >= 0 else "outside the calls"
    return Violation(
        f"{moment}, `{loss.target}` went from {loss.before} to {loss.after}",
        loss.before,
        loss.after,
        line=places.replaced_at(run, loss.target, loss.before, loss.after) or loss.line,
        cause=f"assigning to the {place} replaces the Variable; its contents are `.value` (or `[...]`)",
    )


def _variables(run: Run) -> list[Slot]:
    return [slot for layout in run.layouts for slot in layout if slot.counts]


@check(
    id="counter-not-param",
    level=MUST,
    requirement="The counting Variable is no `nnx.Param` nor a subclass of it.",
    remedy="Use `nnx.Variable`, or a subclass of your own: an optimiser updates every Param, weight decay even without "
    "a gradient.",
    wrong="self.count = nnx.Param(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
)
def counter_not_param(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    slots = [move.slot for move in movements(run)] or _only_variable(run)
    params = [slot for slot in slots if slot.param]
    if params and (len(params) == len(slots) or reads_param(seen)):
        return Violation(
            f"the count sits in `{params[0].path}`, of type {params[0].type}",
            "a Variable that is no nnx.Param",
            params[0].type,
            line=places.made_at(run, params[0].path),
            cause="a Param is what optimisers train: weight decay alone would change the count",
        )
    if excused := excuse(case, seen):
        return excused
    return None if movements(run) else no_counter(case, seen)


def _only_variable(run: Run) -> list[Slot]:
    """The one Variable of the run's modules, where nothing moved and so nothing else tells which one counts."""
    starts = [state(run, module.start) for module in run.modules if module.start is not None]
    slots = {slot for start in starts for slot, _ in start.values() if slot.counts}
    return list(slots) if len(slots) == 1 and next(iter(slots)).param else []


CHECKS = (counts_in_variable, wrapper_kept, counter_not_param)
