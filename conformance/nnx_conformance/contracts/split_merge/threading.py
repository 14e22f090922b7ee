"""Checks of the functional form: what is compiled, whether the state goes round, and how often it is compiled."""

from __future__ import annotations

from collections.abc import Sequence

from nnx_conformance.case import Case
from nnx_conformance.compare import close
from nnx_conformance.contract import MUST, SHOULD, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.compiled import MOST_COMPILATIONS, RETRACE, compiled, plain_calls, through, too_often
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    IN_VARIABLE,
    TRACED,
    as_pair,
    base,
    calls_asked,
    excuse,
    hidden,
    lost_in_trace,
    made,
    movements,
    pair,
    text,
)
from nnx_conformance.observation import Call, Line, Observation, Run
from nnx_conformance.timeline import main_calls, moved, series

THREADED = "state-threaded"
IN_JIT = "runs-in-jax-jit"


@check(
    id=THREADED,
    level=MUST,
    requirement="Each step starts from the state that the step before it returned, and the last state is read.",
    remedy="Return the state of the merged module from the step, pass it to the next one, and merge the last one (or "
    "`nnx.update` the model with it).",
    wrong="_, last_x = step(state, x)  # the new state is thrown away",
    right="state, last_x = step(state, x)",
)
def state_threaded(case: Case, seen: Observation) -> Judgement:
    if seen.run.raised:
        return excuse(case, seen)
    if lost_in_trace(seen, case):
        return _dropped(case, seen)
    if excused := excuse(case, seen):
        return excused
    if unseen := hidden(case, seen):
        return unseen
    run = base(seen)
    calls = main_calls(run)
    if not calls:
        return Blocked(IN_JIT if made(run) else IN_VARIABLE)
    return _broken(run, calls) or _not_read(case, seen, calls)


def _dropped(case: Case, seen: Observation) -> Violation:
    result = pair(seen)
    now = text(float(result[0])) if result is not None else "nothing"
    untraced = as_pair(seen.untraced.result) if seen.untraced else None
    right = "; without compilation it is right" if untraced is not None and untraced[0] == calls_asked(case) else ""
    return Violation(
        f"result[0] is {now} after n_calls={calls_asked(case)}{right}",
        text(calls_asked(case)),
        now,
        line=_step(seen),
        cause="the compiled step works on a copy of the state; what it does not return, or nobody merges, is dropped",
    )


def _broken(run: Run, calls: Sequence[Call]) -> Violation | None:
    """A step that does not start where the step before it ended."""
    for path in _candidates(run, calls):
        previous: float | None = None
        for number, ((before, after), call) in enumerate(zip(series(run, calls, path), calls, strict=True), start=1):
            if previous is not None and before is not None and not close(before, previous, 0):
                return Violation(
                    f"step {number - 1} took `{path}` to {text(previous)}, and step {number} starts at {text(before)}",
                    text(previous),
                    text(before),
                    line=call.line,
                    cause="the step does not return the state of the module that it called, or is given an old one",
                )
            previous = after
    return None


def _candidates(run: Run, calls: Sequence[Call]) -> list[str]:
    """The Variables that some call moved, if none of them moved over all."""
    return list(dict.fromkeys(path for call in calls for path in moved(run, [call])))


def _not_read(case: Case, seen: Observation, calls: Sequence[Call]) -> Violation | None:
    """The steps count, and the result is what the count was before them."""
    result, found = pair(seen), movements(base(seen))
    if result is None or result[0] == calls_asked(case) or len(calls) != calls_asked(case):
        return None
    for move in found:
        if move.last == calls_asked(case) and move.first == result[0]:
            return Violation(
                f"the steps took `{move.slot.path}` from {text(move.first)} to {text(move.last)}, and result[0] is "
                f"{text(move.first)}",
                text(move.last),
                text(move.first),
                line=places.returned(seen),
                cause="the count is read from the model that was split: the last state was never merged back",
            )
    return None


def _step(seen: Observation) -> Line | None:
    found = [call.line for run in (seen.run, seen.untraced) if run for call in run.calls]
    return places.entered(seen.run, seen.untraced) or next(iter(found), None)


@check(
    id=IN_JIT,
    level=MUST,
    requirement="Every call of the module runs inside a plain `jax.jit`.",
    remedy="Compile a step that merges, calls the model, and returns its output and state: `step = jax.jit(step)`.",
    wrong="step = nnx.jit(lambda model, x: model(x))  # carries the state by itself",
    right="@jax.jit\ndef step(state, x):\n    model = nnx.merge(graphdef, state)\n    out = model(x)\n"
    "    return nnx.state(model), out",
)
def runs_in_jax_jit(case: Case, seen: Observation) -> Judgement:
    if lifted := through(seen, "nnx.jit"):
        return Violation("the module is called inside `nnx.jit`", "a plain jax.jit", "nnx.jit", line=lifted.line)
    if outside := plain_calls(seen.run):
        count, asked = len(outside), max(calls_asked(case), len(outside))
        off = outside[0].uncompiled
        return Violation(
            f"{count} of {asked} calls ran in plain Python, outside of `jax.jit`",
            "every call inside jax.jit",
            f"{count} outside",
            line=outside[0].line,
            cause="`jax.disable_jit` is in force, so `jax.jit` compiles nothing"
            if off
            else "the model itself is called, and not a compiled step that merges it",
            remedy="Take `jax.disable_jit` out." if off else "",
        )
    if excused := excuse(case, seen):
        return excused
    if not base(seen).calls and not seen.run.calls:
        return Blocked(IN_VARIABLE)
    traced = [call for call in seen.run.calls if call.traced]
    if not traced:
        return NotApplicable("the step was compiled for an earlier case, and runs from the cache")
    other = next((call for call in traced if "jax.jit" not in call.through), None)
    if other is None:
        return None
    name = other.through[0] if other.through else "another transform"
    return Violation(f"the module is called inside {name} alone", "a plain jax.jit", name, line=other.line)


@check(
    id=RETRACE,
    level=MUST,
    requirement="The step is not compiled again for every call: at most twice a run, as all calls have equal shapes.",
    remedy="Make the compiled function once, outside the loop, and pass it nothing static that changes from step to "
    "step: no step number, no graph definition with a Python number in it.",
    wrong="for _ in range(int(n_calls)):\n    state, out = jax.jit(lambda s, x: step(s, x))(state, x)",
    right="step = jax.jit(step)\nfor _ in range(int(n_calls)):\n    state, out = step(state, x)",
)
def no_retrace(case: Case, seen: Observation) -> Judgement:
    return _compilations(case, seen, MOST_COMPILATIONS)


@check(
    id="one-trace",
    level=SHOULD,
    requirement="The step is compiled once for equal shapes.",
    remedy="Keep dtype and weak type of the state: add `1.0` to what `jnp.array(0.0)` made, not a `jnp.float32`.",
    wrong="self.count.value = self.count.value + jnp.float32(1.0)  # weak float32 becomes strong",
    right="self.count.value = self.count.value + 1.0",
)
def one_trace(case: Case, seen: Observation) -> Judgement:
    return _compilations(case, seen, 1)


def _compilations(case: Case, seen: Observation, most: int) -> Judgement:
    found = compiled(seen.run)
    if len(found) > most:
        line = places.entered(seen.run) or next(iter(found.values())).line
        return too_often(len(found), most, calls_asked(case), line)
    if found:
        return Blocked(TRACED) if seen.run.raised else None
    if excused := excuse(case, seen):
        return excused
    if plain_calls(seen.run) or not base(seen).calls:
        return Blocked(IN_JIT)
    return None  # from the cache


CHECKS = (state_threaded, runs_in_jax_jit, no_retrace, one_trace)
