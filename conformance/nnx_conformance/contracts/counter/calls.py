"""Checks of the module's calls: their number, what each does to the count, and what it returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.counter.narrow import KEEP, narrow
from nnx_conformance.contracts.counter.reading import (
    INCREMENT,
    OUTPUT,
    CounterReading,
    called,
    called_or_created,
    calls_visible,
    judgeable,
    updates_kept,
)
from nnx_conformance.contracts.reading import WRAPPER
from nnx_conformance.contracts.wording import number_text
from nnx_conformance.core.case import Case, array_text
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Judgement, Violation, check
from nnx_conformance.core.facts import Call, Line, Run, Value
from nnx_conformance.core.timeline import groups, moved, series


def _increments(_: Case, reading: CounterReading) -> Iterator[Claim]:
    """The claims that the module is called `n_calls` times, and that a Variable rises by 1 in each call only."""
    yield same_numbers(len(reading.calls), reading.requested_calls)
    if len(reading.calls) == reading.requested_calls:
        counts = [_count(reading, path) for path in moved(reading.clear, reading.calls)]
        yield next((count for count in counts if count.holds()), counts[0] if counts else same_numbers(0, 1))


def _count(reading: CounterReading, path: str) -> Claim:
    """The claim that a Variable rises by 0 between calls and by 1 in each; NaN stands for a missing Variable."""
    counts = np.array(list(series(reading.clear, reading.calls, path)), np.float64).ravel()
    with np.errstate(invalid="ignore"):
        return same_numbers(np.diff(counts, prepend=counts[:1]), np.resize([0, 1], counts.size))


@check(
    id=INCREMENT,
    level=MUST,
    requirement="The module is called exactly `int(n_calls)` times, and each call adds 1 to the count.",
    remedy="Loop `for _ in range(int(n_calls))`, call the model once in it, and add to the count in `__call__` only.",
    wrong="for _ in range(1, int(n_calls)):  # one call short\n    last_x = model(x)",
    right="for _ in range(int(n_calls)):\n    last_x = model(x)",
    needs=(judgeable, updates_kept, calls_visible, called_or_created),
    claims=_increments,
)
def one_increment_per_call(_: Case, reading: CounterReading) -> Judgement:
    if len(reading.calls) != reading.requested_calls:
        return _wrong_number(reading)
    paths = moved(reading.clear, reading.calls)
    return _uneven(reading.clear, reading.calls, paths[0]) if paths else _nothing_moved(reading)


def _wrong_number(reading: CounterReading) -> Violation:
    run, calls, requested = reading.clear, reading.calls, reading.requested_calls
    by_one = len(calls) > 1 and abs(len(calls) - requested) == 1  # one call instead of two may be one for any n_calls
    models = groups(run)
    if len(models) > 1 and sum(map(len, models)) == requested:
        return _shared_out(calls, len(models), requested)
    extra = _extra(run, calls, requested)
    cause = "the loop is off by one" if by_one else "the candidate makes fewer or more calls than `n_calls` asks for"
    return Violation(
        f"the module ran {_times(len(calls))}, n_calls is {requested}",
        _times(requested),
        _times(len(calls)),
        line=extra or _loop(run, calls),
        cause="this line makes an extra call" if extra else cause,
        because=reading.caught_trace,
    )


def _shared_out(calls: tuple[Call, ...], models: int, requested: int) -> Violation:
    return Violation(
        f"the {requested} calls went to {models} models, and none ran more than {_times(len(calls))}",
        f"one model that runs {_times(requested)}",
        f"{models} models",
        line=calls[-1].line,
        cause="the calls go to copies or to new models, and each counts only its own calls",
    )


def _extra(run: Run, calls: tuple[Call, ...], requested: int) -> Line | None:
    """The line of the surplus calls, if they are outside of the loop or all from one line."""
    surplus = len(calls) - requested
    if surplus <= 0:
        return None
    outside = [call for call in calls if (steps := blame.steps(run, call)) and steps.loop is None]
    if len(outside) == surplus:
        return outside[0].line
    by_line = Counter(call.line for call in calls)
    return next((line for line, times in by_line.items() if times == surplus != requested), None)


def _loop(run: Run, calls: tuple[Call, ...]) -> Line | None:
    """The loop that makes the calls, or that makes none."""
    return blame.loop(run, calls[-1]) if calls else blame.empty_loop(run) or blame.returned(run)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _nothing_moved(reading: CounterReading) -> Judgement:
    changed = [move for move in reading.movements if move.first == 0]
    if not changed:
        return _uneven(reading.clear, reading.calls, reading.unmoved) if reading.unmoved else reading.no_counter
    path, last = changed[0].slot.path, changed[0].last
    return Violation(
        f"`{path}` went from 0 to {number_text(last)}, but in none of the calls",
        "each call adds 1 to it",
        "no call changes it",
        line=blame.moved_at(reading.clear, path, inside=False),
        cause="the candidate adds to the count outside `__call__`",
    )


def _uneven(run: Run, calls: tuple[Call, ...], path: str) -> Violation | None:
    """The first change of a Variable other than by 1 in a call; None if there is none."""
    previous: float | None = None
    for number, ((before, after), call) in enumerate(zip(series(run, calls, path), calls, strict=True), start=1):
        if before is None and after is None and previous is None:
            cause = "a later call creates the Variable, so it misses the calls before"
            return Violation(f"`{path}` is not there yet after call {number}", line=call.line, cause=cause)
        if before is None or after is None:
            return Violation(f"`{path}` is gone in call {number}", line=call.line, because=(WRAPPER,))
        if previous is not None and before != previous:
            return Violation(
                f"between call {number - 1} and {number}, `{path}` went from {number_text(previous)} to "
                f"{number_text(before)}",
                "it changes only in the module's call",
                f"{number_text(before)} before call {number}",
                line=blame.moved_at(run, path, inside=False) or call.line,
                cause="the candidate changes the count outside `__call__`, or calls a copy of the module",
            )
        if after - before != 1:
            too_narrow = narrow(path, before, after)
            return Violation(
                f"call {number} of {len(calls)} took `{path}` from {number_text(before)} to {number_text(after)}",
                number_text(before + 1),
                number_text(after),
                line=_changer(run, call, path, before, after),
                cause=too_narrow or "`__call__` does not add 1 to the count each time",
                remedy=KEEP if too_narrow else "",
            )
        previous = after
    return None


def _changer(run: Run, call: Call, path: str, before: float, after: float) -> Line | None:
    """The line that changed a Variable; if it did not change, a line that writes to it, or that returns the output."""
    return (
        (blame.moved_by(run, path, after) if before != after else None)
        or blame.written_at(run)
        or blame.output(run, call)
    )


def _outputs(case: Case, reading: CounterReading) -> Iterator[Claim]:
    """The claims that each distinct output of the calls is x."""
    for number in dict.fromkeys(call.returned for call in reading.calls):
        array = _returned(reading, number)
        yield Claim(("nothing",), ("an array",)) if array is None else Claim(array, case["x"])


def _returned(reading: CounterReading, number: int | None) -> np.ndarray | None:
    """The array that a call returned; None for another value."""
    return None if number is None else reading.clear.returns[number].array


@check(
    id=OUTPUT,
    level=MUST,
    requirement="Each call of the module returns `x` with its values, shape and dtype.",
    remedy="Let `__call__` end with `return x`.",
    wrong="return x * 1.0001",
    right="return x",
    needs=(judgeable, calls_visible, called),
    claims=_outputs,
)
def output_unchanged(case: Case, reading: CounterReading) -> Judgement:
    run, calls = reading.clear, reading.calls
    for number, call in enumerate(calls, start=1):
        array = _returned(reading, call.returned)
        if array is None or not Claim(array, case["x"]).holds():
            value = run.returns[call.returned] if call.returned is not None else None
            which = f"call {number} of {len(calls)}"
            if value and call.as_given:
                return _other_argument(case, value, which, call.line)
            return _changed(case, value, which, blame.output(run, call))
    return None


def _other_argument(case: Case, value: Value, which: str, line: Line | None) -> Violation:
    """The violation of a call that returns its argument, which is not x."""
    argument = _array_text(value.array) if value.array is not None else value.text
    return Violation(
        f"{which} was given, and returned, {argument}",
        _array_text(case["x"]),
        argument,
        line=line,
        cause="the candidate calls the model on something other than `x`",
        remedy="Call the model on `x` itself, `last_x = model(x)`.",
    )


def _changed(case: Case, value: Value | None, which: str, line: Line | None) -> Violation:
    if value is None or value.array is None:
        kind = value.type if value else "nothing"
        what, observed = f"{which} returned a {kind}, not the array x", kind
    elif (at := _hidden(case["x"], value.array)) is not None:
        wanted, observed = (f"{array[at]:.9g} at [{at}]" for array in (case["x"], value.array))
        what = f"{which} returned {value.array[at]:.9g} for x[{at}]={case['x'][at]:.9g}"
        return Violation(what, wanted, observed, line=line, cause=_how_changed(case["x"], value))
    else:
        observed = _array_text(value.array)
        what = f"{which} returned {array_text(value.array)} for x={array_text(case['x'])}"
    return Violation(what, _array_text(case["x"]), observed, line=line, cause=_how_changed(case["x"], value))


def _hidden(x: np.ndarray, array: np.ndarray) -> int | None:
    """Where an array differs from x, if their texts leave that out; None where these show it."""
    if x.shape != array.shape or x.dtype != array.dtype or array_text(x) != array_text(array):
        return None
    apart = np.flatnonzero((x != array) & ~((x != x) & (array != array)))
    return int(apart[0]) if apart.size else None


def _array_text(array: np.ndarray) -> str:
    """An array with its shape, and with its dtype even if that is float32."""
    dtype = ", float32" if array.dtype == np.float32 else ""
    return f"{array_text(array)}{dtype} of shape {array.shape}"


def _how_changed(x: np.ndarray, value: Value | None) -> str:
    """How an output differs from x."""
    if value is None or value.type == "NoneType":
        return "`__call__` ends without a `return x`"
    if value.array is None or value.type not in ("jax.Array", "numpy.ndarray"):
        return f"`__call__` wraps its argument into something of type {value.type}, or returns something else"
    if value.array.shape != x.shape:
        return f"`__call__` changes the shape from {x.shape} to {value.array.shape}"
    if value.array.dtype != x.dtype:
        return f"`__call__` casts {x.dtype.name} to {value.array.dtype.name}"
    return "`__call__` returns values that differ from its argument's"
