"""Checks of the module's calls: how often it runs, what each does to the count, and what it returns."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case, array_text
from nnx_conformance.compare import equal
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    IN_VARIABLE,
    INCREMENT,
    OUTPUT,
    TRACED,
    WRAPPER,
    base,
    calls_asked,
    caught_trace,
    excuse,
    hidden,
    lost_in_trace,
    made,
    movements,
    no_counter,
    text,
    unmoved,
)
from nnx_conformance.observation import Call, Line, Observation, Run, Thing
from nnx_conformance.timeline import groups, main_calls, moved, series


@check(
    id=INCREMENT,
    level=MUST,
    requirement="The module runs exactly `int(n_calls)` times, and each of these calls raises the count by 1.",
    remedy="Loop `for _ in range(int(n_calls))`, call the model once in it, and raise the count in `__call__` alone.",
    wrong="for _ in range(1, int(n_calls)):  # one call short\n    last_x = model(x)",
    right="for _ in range(int(n_calls)):\n    last_x = model(x)",
)
def one_increment_per_call(case: Case, seen: Observation) -> Judgement:
    if excused := excuse(case, seen):
        return excused
    if lost_in_trace(seen, case):
        return Blocked(TRACED)
    run, asked = base(seen), calls_asked(case)
    calls = main_calls(run)
    if unseen := hidden(case, seen):
        return unseen
    if not calls and not made(run):
        return Blocked(IN_VARIABLE)
    if len(calls) != asked:
        return _wrong_number(run, calls, asked)
    paths = moved(run, calls)
    if not paths:
        return _nothing_moved(case, seen)
    problems = [_uneven(run, calls, path) for path in paths]
    return None if None in problems else problems[0]


def _wrong_number(run: Run, calls: tuple[Call, ...], asked: int) -> Violation:
    by_one = len(calls) > 1 and abs(len(calls) - asked) == 1  # once of two may be once of any number
    found = groups(run)
    if len(found) > 1 and sum(map(len, found)) == asked:
        return _shared_out(calls, len(found), asked)
    return Violation(
        f"the module ran {_times(len(calls))}, n_calls is {asked}",
        _times(asked),
        _times(len(calls)),
        line=_where(run, calls, asked),
        cause="the loop is off by one" if by_one else "the calls are not made once for each of n_calls",
        follows=caught_trace(run),
    )


def _shared_out(calls: tuple[Call, ...], models: int, asked: int) -> Violation:
    return Violation(
        f"the {asked} calls went to {models} models, and none ran more than {_times(len(calls))}",
        f"one model that runs {_times(asked)}",
        f"{models} models",
        line=calls[-1].line,
        cause="the calls go to copies, or to models made anew, and each counts its own",
    )


def _where(run: Run, calls: tuple[Call, ...], asked: int) -> Line | None:
    """The call that is made beside the loop, if there are too many; else the loop."""
    if not calls:
        return places.empty_loop(run) or places.returned_in(run)
    beside = [call for call in calls if (found := places.steps(run, call)) and found.loop is None]
    if len(calls) > asked and 0 < len(beside) < len(calls):
        return beside[0].line
    return places.loop(run, calls[-1])


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _nothing_moved(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    changed = [move for move in movements(run) if move.first == 0]
    if not changed and (path := unmoved(case, seen)):
        return _uneven(run, main_calls(run), path)
    if not changed:
        return no_counter(case, seen)
    return Violation(
        f"`{changed[0].slot.path}` went from 0 to {text(changed[0].last)}, but in none of the calls",
        "each call raises it by 1",
        "no call changes it",
        line=places.moved_at(run, changed[0].slot.path, inside=False),
        cause="the count is raised outside `__call__`",
    )


def _uneven(run: Run, calls: tuple[Call, ...], path: str) -> Violation | None:
    """How a Variable moved otherwise than by 1 in each call; None if it did not."""
    previous: float | None = None
    for number, ((before, after), call) in enumerate(zip(series(run, calls, path), calls, strict=True), start=1):
        if before is None and after is None and previous is None:
            cause = "the Variable comes to be in a later call, so those before it are not counted in it"
            return Violation(f"`{path}` is not there yet after call {number}", line=call.line, cause=cause)
        if before is None or after is None:
            return Violation(f"`{path}` is gone in call {number}", line=call.line, symptom_of=(WRAPPER,))
        if previous is not None and before != previous:
            return Violation(
                f"between call {number - 1} and {number}, `{path}` went from {text(previous)} to {text(before)}",
                "it changes only in the module's call",
                f"{text(before)} before call {number}",
                line=places.moved_at(run, path, inside=False) or call.line,
                cause="the count is changed outside `__call__`, or a copy of the module was called",
            )
        if after - before != 1:
            return Violation(
                f"call {number} of {len(calls)} took `{path}` from {text(before)} to {text(after)}",
                text(before + 1),
                text(after),
                line=_changer(run, call, path, before, after),
                cause="`__call__` does not raise the count by 1 each time",
            )
        previous = after
    return None


def _changer(run: Run, call: Call, path: str, before: float, after: float) -> Line | None:
    """The line that took a Variable to where it is; where it stayed, one that writes to it, or the call's last."""
    return (
        (places.moved_by(run, path, after) if before != after else None)
        or places.written_at(run)
        or places.output(run, call)
    )


@check(
    id=OUTPUT,
    level=MUST,
    requirement="Each of these calls returns `x` with its values, shape and dtype.",
    remedy="Let `__call__` end with `return x`.",
    wrong="return x * 1.0001",
    right="return x",
)
def output_unchanged(case: Case, seen: Observation) -> Judgement:
    if excused := excuse(case, seen):
        return excused
    if unseen := hidden(case, seen):
        return unseen
    run = base(seen)
    calls = main_calls(run)
    if not calls:
        return Blocked(INCREMENT if made(run) else IN_VARIABLE)
    for number, call in enumerate(calls, start=1):
        thing = run.returns[call.returned] if call.returned is not None else None
        if thing is None or thing.array is None or not equal(thing.array, case["x"]):
            which = f"call {number} of {len(calls)}"
            if thing and call.as_given:
                return _given_another(case, thing, which, call.line)
            return _changed(case, thing, which, places.output(run, call))
    return None


def _given_another(case: Case, thing: Thing, which: str, line: Line | None) -> Violation:
    """The call returns what it was given, and that is not x."""
    given = _told(thing.array) if thing.array is not None else thing.text
    return Violation(
        f"{which} was given, and returned, {given}",
        _told(case["x"]),
        given,
        line=line,
        cause="the model is called on something else than `x`",
        remedy="Call the model on `x` itself, `last_x = model(x)`.",
    )


def _changed(case: Case, thing: Thing | None, which: str, line: Line | None) -> Violation:
    if thing is None or thing.array is None:
        kind = thing.type if thing else "nothing"
        what, observed = f"{which} returned a {kind}, not the array x", kind
    else:
        observed = _told(thing.array)
        what = f"{which} returned {array_text(thing.array)} for x={array_text(case['x'])}"
    return Violation(what, _told(case["x"]), observed, line=line, cause=_how_changed(case["x"], thing))


def _told(array: np.ndarray) -> str:
    """An array with its dtype, which `array_text` tells of all but float32, and its shape."""
    dtype = ", float32" if array.dtype == np.float32 else ""
    return f"{array_text(array)}{dtype} of shape {array.shape}"


def _how_changed(x: np.ndarray, thing: Thing | None) -> str:
    """In what an output differs from x."""
    if thing is None or thing.type == "NoneType":
        return "`__call__` ends without a `return x`"
    if thing.array is None or thing.type not in ("jax.Array", "numpy.ndarray"):
        return f"`__call__` wraps its argument into something of type {thing.type}, or returns something else"
    if thing.array.shape != x.shape:
        return f"`__call__` changes the shape from {x.shape} to {thing.array.shape}"
    if thing.array.dtype != x.dtype:
        return f"`__call__` casts {x.dtype.name} to {thing.array.dtype.name}"
    return "`__call__` returns other values than those of its argument"


CHECKS = (one_increment_per_call, output_unchanged)
