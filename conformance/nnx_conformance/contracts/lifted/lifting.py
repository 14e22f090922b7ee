"""Checks of the lifted form: where the counts live, and through which transforms the calls ran."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.lifted.evidence import (
    HIDDEN,
    IN_VARIABLE,
    INCREMENT,
    LIFTED,
    PER_LANE,
    TRACED,
    WRAPPER,
    Counted,
    abstract,
    calls_asked,
    counted,
    culprit,
    excuse,
    in_plain,
    lanes_asked,
    looked,
    made_none,
    mappings,
    result_of,
    shown,
    starts,
)
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import losses
from nnx_conformance.contracts.mutability.state import of_another_framework
from nnx_conformance.observation import Call, Observation
from nnx_conformance.plain_text import short


def _found(case: Case, seen: Observation) -> Counted | Blocked | NotApplicable:
    """The counting Variable; or why there is none to look at."""
    if excused := excuse(case, seen):
        return excused
    run = looked(seen)
    found = counted(run) if run else None
    if found is None and run and abstract(run):
        return NotApplicable(HIDDEN)
    return found or Blocked(IN_VARIABLE)


def _made_inside(seen: Observation, found: Counted) -> int:
    run = looked(seen)
    return mappings(run, found) if run else 0


@check(
    id=IN_VARIABLE,
    level=MUST,
    requirement="The call makes an `nnx.Module`, and an `nnx.Variable` in its graph counts from 0 to `int(n_calls)`.",
    remedy="Keep the count in `self.count = nnx.Variable(jnp.array(0.0))`, and let `__call__` raise it.",
    wrong="self.count = 0  # a Python int is not NNX state",
    right="self.count = nnx.Variable(jnp.array(0.0))",
)
def counts_in_variable(case: Case, seen: Observation) -> Judgement:
    if seen.foreign and not any(module.framework == "nnx" for module in seen.run.modules):
        return of_another_framework(seen)
    if excused := excuse(case, seen):
        return excused
    if made_none(seen):
        return Violation("the call made no nnx.Module", "a module with a counting nnx.Variable", "no module")
    if any(losses(seen.run)):
        return Blocked(WRAPPER)
    run = looked(seen)
    found = counted(run) if run else None
    if found is None and run and abstract(run):
        return NotApplicable(HIDDEN)
    if run is None or found is None:
        return Violation("no nnx.Variable of the module counts", "an nnx.Variable", "none", line=places.returned(seen))
    first, last = found.moments[0][0], found.moments[-1][1]
    if np.all(first == last):
        what = f"`{found.slot.path}` stays at {shown(last)}: the module's Variables do not count"
        return Violation(what, "an nnx.Variable that counts", "none", line=found.calls[0].line, follows=(LIFTED,))
    begun = next((held for held in starts(run, found) if np.any(held != 0)), None)
    if begun is None:
        return _short_of(case, seen, found, mappings(run, found) or lanes_asked(case))
    return Violation(
        f"`{found.slot.path}` of a model starts at {shown(begun)}",
        "0",
        shown(begun),
        line=next((module.line for module in run.modules if module.created), None),
        cause="the count does not start at 0, or models are made anew for a call and given the count so far",
    )


def _short_of(case: Case, seen: Observation, found: Counted, lanes: int) -> Violation | None:
    """All calls were made, and yet no count comes to their number: several models share the calls of a lane."""
    asked, reached = calls_asked(case), max(float(np.max(after)) for _, after in found.moments)
    if found.lane_calls != lanes * asked or reached >= asked or _dropped_by_scan(case, seen, found):
        return None
    return Violation(
        f"`{found.slot.path}` of no model comes to more than {reached:g}, though {asked} calls were made in each lane",
        f"a count that goes to {asked}",
        f"{reached:g}",
        line=found.calls[0].line,
        cause="the calls of a lane go to several models, made anew or called by turns, and each counts its own",
        follows=(INCREMENT,),
    )


def _dropped_by_scan(case: Case, seen: Observation, found: Counted) -> bool:
    """Whether a scan may have dropped what it broadcasts: the count that is returned is wrong, too."""
    got = result_of(case, seen.run)
    wrong = got is None or bool(np.any(got[:, 0] != calls_asked(case)))
    return wrong and any("nnx.scan" in call.through for call in found.calls)


@check(
    id=LIFTED,
    level=MUST,
    requirement="Every call of the module runs inside a transform that `nnx` lifts, or changes its state in one; a "
    "plain one of JAX is around it at most where state is split off before and merged back after.",
    remedy="Use `nnx.jit`, `nnx.vmap` and `nnx.scan`: the plain ones drop what a model writes.",
    wrong="jax.vmap(lambda model, x: model(x))(models, xs)",
    right="nnx.vmap(lambda model, x: model(x))(models, xs)",
)
def runs_lifted(case: Case, seen: Observation) -> Judgement:
    for run in (seen.run, *((seen.untraced,) if seen.untraced else ())):
        for call in run.calls:
            plain = next((name for name in call.through if name.startswith("jax.")), None)
            if plain and not (_lifted_as_well(call) and _counts_are_right(case, seen)):
                what = f"the module is called inside a plain `{plain}`"
                return Violation(what, "a lifted transform", plain, line=call.line, cause=in_plain(run, call, plain))
    bare = [call for call in seen.run.calls if not call.through and not call.traced and not call.within]
    if bare:
        many = "1 call of the module ran" if len(bare) == 1 else f"{len(bare)} calls of the module ran"
        what = f"{many} in plain Python"
        return Violation(what, "calls inside nnx.jit, nnx.vmap or nnx.scan", "plain Python", line=bare[0].line)
    if excused := excuse(case, seen):
        return excused
    return None if any(call.through or call.within for call in _calls(seen)) else Blocked(IN_VARIABLE)


def _lifted_as_well(call: Call) -> bool:
    return any(name.startswith("nnx.") for name in call.through)


def _counts_are_right(case: Case, seen: Observation) -> bool:
    """Whether nothing was dropped: the plain transform was given, and gave back, state that was split off.

    Without compilation, too, where it is no copy that the calls write to: what is made up for elsewhere shows there.
    """
    runs = [run for run in (seen.run, seen.untraced) if run is not None and run.raised is None]
    results = [result_of(case, run) for run in runs]
    return all(got is not None and np.all(got[:, 0] == calls_asked(case)) for got in results)


def _calls(seen: Observation) -> tuple[Call, ...]:
    return (*seen.run.calls, *(seen.untraced.calls if seen.untraced else ()))


@check(
    id=PER_LANE,
    level=MUST,
    requirement="Each lane has a count of its own.",
    remedy="Make a model for each lane: in `nnx.vmap`, and map over them with `in_axes=0`, not None; or in a Python "
    "loop over the lanes.",
    wrong="nnx.vmap(step, in_axes=(None, 0))(model, xs)  # one model, and one count, for all lanes",
    right="models = nnx.vmap(Counter)(keys)\nnnx.vmap(step, in_axes=(0, 0))(models, xs)",
)
def one_count_per_lane(case: Case, seen: Observation) -> Judgement:
    found = _found(case, seen)
    if not isinstance(found, Counted):
        return found
    lanes, asked = lanes_asked(case), calls_asked(case)
    if lanes == 1:
        return NotApplicable("with one lane there is nothing to share")
    if _made_inside(seen, found):
        return None
    mapped = any("nnx.vmap" in call.through for call in found.calls)
    if mapped and found.lane_calls < lanes * asked and all(after.size == 1 for _, after in found.moments):
        return Violation(
            f"`{found.slot.path}` is one number for all {lanes} lanes",
            f"{lanes} counts",
            "one count",
            line=found.calls[0].line,
            cause="the model is broadcast by `nnx.vmap`, so all lanes share its count",
        )
    return _shared(found, lanes, asked)


def _shared(found: Counted, lanes: int, asked: int) -> Violation | None:
    """One model that is called for one lane after the other: as many calls as there should be, and all in one count."""
    by_one = all(np.all(after - before == 1) for before, after in found.moments)
    went_to = max(float(np.max(after)) for _, after in found.moments) - float(np.min(found.moments[0][0]))
    if not by_one or found.lane_calls != lanes * asked or went_to <= asked:
        return None
    return Violation(
        f"`{found.slot.path}` went to {went_to:g} in {lanes} lanes of {asked} calls",
        f"{lanes} counts",
        "one count",
        line=found.calls[0].line,
        cause="one model is called for all lanes, so its count adds up over them",
    )


@check(
    id=INCREMENT,
    level=MUST,
    requirement="In each lane the module is called exactly `int(n_calls)` times, and each call raises its count by 1.",
    remedy="Call the model once in the loop or in the body of the scan, `int(n_calls)` times.",
    wrong="for _ in range(1, int(n_calls)):  # one call short\n    ys = step(models, xs)",
    right="for _ in range(int(n_calls)):\n    ys = step(models, xs)",
)
def one_increment_per_call(case: Case, seen: Observation) -> Judgement:
    found = _found(case, seen)
    if not isinstance(found, Counted):
        return found
    if found.lane_by_lane(lanes_asked(case), calls_asked(case)):
        return None
    for number, ((before, after), call) in enumerate(zip(found.moments, found.calls, strict=True), start=1):
        if np.any(after - before != 1):
            what = f"call {number} took `{found.slot.path}` from {shown(before)} to {shown(after)}"
            return Violation(what, shown(before + 1), shown(after), line=call.line, follows=(PER_LANE,))
    inside = _made_inside(seen, found)
    asked = (inside or lanes_asked(case)) * calls_asked(case)
    if found.lane_calls != asked:
        over = "in each lane" if inside == 1 else "over all lanes"
        what = f"the module was called {found.lane_calls} times {over}, not {asked}"
        return Violation(what, str(asked), str(found.lane_calls), line=found.calls[-1].line, follows=(PER_LANE,))
    return None


@check(
    id="counter-not-param",
    level=MUST,
    requirement="The counting Variable is no `nnx.Param` nor a subclass of it.",
    remedy="Use `nnx.Variable`, or a subclass of your own: an optimiser updates every Param.",
    wrong="self.count = nnx.Param(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
)
def counter_not_param(case: Case, seen: Observation) -> Judgement:
    found = _found(case, seen)
    if not isinstance(found, Counted):
        return found
    if not found.slot.param:
        return None
    what = f"the count sits in `{found.slot.path}`, of type {found.slot.type}"
    cause = "a Param is what optimisers train"
    return Violation(what, "a Variable that is no nnx.Param", found.slot.type, line=found.calls[0].line, cause=cause)


@check(
    id=WRAPPER,
    level=MUST,
    requirement="No attribute that held a Variable is replaced by something that is not one.",
    remedy="Write to the contents, `self.count.value = self.count.value + 1.0`.",
    wrong="self.count = self.count + 1.0",
    right="self.count.value = self.count.value + 1.0",
)
def wrapper_kept(case: Case, seen: Observation) -> Judgement:
    for run in (seen.run, *((seen.untraced,) if seen.untraced else ())):
        for loss in losses(run):
            what = f"`{loss.target}` went from {loss.before} to {loss.after}"
            cause = "assigning to the attribute replaces the Variable; its contents are `.value` (or `[...]`)"
            return Violation(what, loss.before, loss.after, line=loss.line, cause=cause)
    return excuse(case, seen)


@check(
    id=TRACED,
    level=MUST,
    requirement="No Variable is changed from outside its trace.",
    remedy="Pass the model to the transform as an argument, instead of closing over it.",
    wrong="nnx.jit(lambda x: model(x))(x)",
    right="nnx.jit(lambda model, x: model(x))(model, x)",
)
def no_traced_mutation(case: Case, seen: Observation) -> Judgement:
    raised = seen.run.raised
    if raised is None:
        return None
    if not raised.about_trace:
        return Blocked(culprit(seen))
    message = short(raised.message.strip().partition("\n")[0])
    what = f"the candidate raised {raised.type}: {message}"
    return Violation(what, "the state changes inside its own trace", raised.type, line=raised.line, follows=(LIFTED,))


CHECKS = (
    counts_in_variable,
    runs_lifted,
    one_count_per_lane,
    one_increment_per_call,
    counter_not_param,
    wrapper_kept,
    no_traced_mutation,
)
