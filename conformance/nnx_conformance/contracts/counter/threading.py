"""Checks of the functional form: whether each step gets the last state, and runs inside `jax.jit`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.compiled import compiled, plain_calls, through
from nnx_conformance.contracts.counter.reading import CounterReading, calls_visible, judgeable
from nnx_conformance.contracts.counter.traces import began_with
from nnx_conformance.contracts.reading import IN_VARIABLE, TRACED, returned, unless
from nnx_conformance.contracts.wording import number_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check
from nnx_conformance.core.facts import Call, Line, Run
from nnx_conformance.core.timeline import moved, series

THREADED = "state-threaded"
IN_JIT = "runs-in-jax-jit"
NOT_HANDED_ON = "the step does not return the new state, or the loop passes it an old one"


def _stepped(reading: CounterReading) -> Unmet:
    """Need: the module was called."""
    if reading.calls:
        return None
    return Blocked(IN_JIT if reading.created else IN_VARIABLE)


def _handed_on(case: Case, reading: CounterReading) -> Iterator[Claim]:
    """The claims that each step starts where the one before it ended, and that the result reads the last state."""
    if reading.lost_in_trace and reading.pair is not None:
        yield same_numbers(reading.pair[0], reading.requested_calls)
        return
    yield same_numbers(reading.restarts, False)
    for path in _moving(reading):
        for (_, ended), (begins, _) in pairwise(series(reading.clear, reading.calls, path)):
            if ended is not None and begins is not None:
                yield same_numbers(begins, ended)
    if reading.pair is not None and len(reading.calls) == reading.requested_calls:
        last = [move for move in reading.movements if move.last == reading.requested_calls]
        yield same_numbers([reading.pair[0] == move.first for move in last], False)


@check(
    id=THREADED,
    level=MUST,
    requirement="Each step starts from the state that the step before it returned, and the last state is read.",
    remedy="Return the state of the merged module from the step, pass it to the next one, and merge the last one (or "
    "`nnx.update` the model with it).",
    wrong="_, last_x = step(state, x)  # the new state is thrown away",
    right="state, last_x = step(state, x)",
    needs=(returned, unless(lambda reading: reading.lost_in_trace, judgeable, calls_visible, _stepped)),
    claims=_handed_on,
)
def state_threaded(_: Case, reading: CounterReading) -> Judgement:
    if reading.dropped and reading.reports:
        return _starting_over(reading, reading.reports)
    if reading.lost_in_trace:
        return _dropped(reading)
    if reading.restarts:
        return _starting_over(reading, reading.clear)
    return _broken(reading) or _not_read(reading)


def _starting_over(reading: CounterReading, run: Run) -> Violation:
    """The violation of steps of which none starts where another ended; a right result does not come from them."""
    return Violation(
        f"each step starts with {began_with(run)}, where the one before it started",
        "each step starts where the one before it ended",
        "each step starts over",
        line=_step(reading),
        cause=NOT_HANDED_ON,
    )


def _dropped(reading: CounterReading) -> Violation:
    requested = number_text(reading.requested_calls)
    now = number_text(float(reading.pair[0])) if reading.pair is not None else "nothing"
    untraced = reading.untraced_pair
    right = untraced is not None and untraced[0] == reading.requested_calls
    return Violation(
        f"result[0] is {now} after n_calls={requested}{'; without compilation it is right' if right else ''}",
        requested,
        now,
        line=_step(reading),
        cause="the compiled step updates a copy of the state; what it does not return, or nothing merges back, is lost",
    )


def _step(reading: CounterReading) -> Line | None:
    lines = [call.line for run in reading.runs for call in run.calls]
    return blame.entered(*reading.runs) or next(iter(lines), None)


def _moving(reading: CounterReading) -> list[str]:
    """The Variables that some call moved, even if all calls together did not."""
    return list(dict.fromkeys(path for call in reading.calls for path in moved(reading.clear, [call])))


def _broken(reading: CounterReading) -> Violation | None:
    """The violation of a step that does not start where the step before it ended."""
    run, calls = reading.clear, reading.calls
    for path in _moving(reading):
        previous: float | None = None
        for number, ((before, after), call) in enumerate(zip(series(run, calls, path), calls, strict=True), start=1):
            if previous is not None and before is not None and not same_numbers(before, previous).holds():
                ended, begins = number_text(previous), number_text(before)
                return Violation(
                    f"step {number - 1} took `{path}` to {ended}, and step {number} starts at {begins}",
                    ended,
                    begins,
                    line=call.line,
                    cause=NOT_HANDED_ON,
                )
            previous = after
    return None


def _not_read(reading: CounterReading) -> Violation | None:
    """The violation of a result that holds the count from before the steps."""
    result, requested = reading.pair, reading.requested_calls
    if result is None or len(reading.calls) != requested:
        return None
    move = next((move for move in reading.movements if move.last == requested and move.first == result[0]), None)
    if move is None:
        return None
    first, last = number_text(move.first), number_text(move.last)
    return Violation(
        f"the steps took `{move.slot.path}` from {first} to {last}, and result[0] is {first}",
        last,
        first,
        line=blame.returned(reading.run),
        cause="the result reads the model from before the split: nothing merges the last state back",
    )


def _outside_of_jit(reading: CounterReading) -> Violation | None:
    """The violation of calls in `nnx.jit`, which carries the state by itself, or in plain Python."""
    if lifted := through(reading, "nnx.jit"):
        return Violation("the module is called inside `nnx.jit`", "a plain jax.jit", "nnx.jit", line=lifted.line)
    outside = plain_calls(reading.run)
    if not outside:
        return None
    disabled, total = outside[0].uncompiled, max(reading.requested_calls, len(outside))
    return Violation(
        f"{len(outside)} of {total} calls ran in plain Python, outside of `jax.jit`",
        "every call inside jax.jit",
        f"{len(outside)} outside",
        line=outside[0].line,
        cause="`jax.disable_jit` is in force, so `jax.jit` compiles nothing"
        if disabled
        else "the model itself is called, and not a compiled step that merges it",
        remedy="Take `jax.disable_jit` out." if disabled else "",
    )


def _a_traced_call(reading: CounterReading) -> Unmet:
    """Need: this case traced a step."""
    if not reading.clear.calls and not reading.run.calls:
        return Blocked(IN_VARIABLE)
    if not _traced(reading):
        return Unseen("the step was compiled for an earlier case, and runs from the cache")
    return None


def _traced(reading: CounterReading) -> list[Call]:
    return [call for call in reading.run.calls if call.traced]


@check(
    id=IN_JIT,
    level=MUST,
    requirement="Every call of the module runs inside a plain `jax.jit`.",
    remedy="Compile a step that merges, calls the model, and returns its output and state: `step = jax.jit(step)`.",
    wrong="step = nnx.jit(lambda model, x: model(x))  # carries the state by itself",
    right="@jax.jit\ndef step(state, x):\n    model = nnx.merge(graphdef, state)\n    out = model(x)\n"
    "    return nnx.state(model), out",
    needs=(unless(_outside_of_jit, judgeable, _a_traced_call),),
)
def runs_in_jax_jit(_: Case, reading: CounterReading) -> Judgement:
    if outside := _outside_of_jit(reading):
        return outside
    other = next((call for call in _traced(reading) if "jax.jit" not in call.through), None)
    if other is None:
        return None
    name = other.through[0] if other.through else "another transform"
    return Violation(f"the module is called inside {name} alone", "a plain jax.jit", name, line=other.line)


def compiled_step(reading: CounterReading) -> Unmet:
    """Need: JAX compiled the step, in this case or in an earlier one."""
    if compiled(reading.run):
        return Blocked(TRACED) if reading.run.raised else None
    if reading.unjudgeable:
        return reading.unjudgeable
    return Blocked(IN_JIT) if plain_calls(reading.run) or not reading.clear.calls else None
