"""Checks of what the candidate returns, and of what it does to its argument."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.compare import close, equal, has_shape
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import (
    FRESH,
    IN_VARIABLE,
    INCREMENT,
    OUTPUT,
    RETURNS,
    TRACED,
    base,
    calls_asked,
    culprit,
    held_at_end,
    lost_in_trace,
    movements,
    pair,
    same_result,
    shown,
    text,
    unseen,
)
from nnx_conformance.contracts.mutability.likeness import like
from nnx_conformance.contracts.mutability.oracle import expected_sum
from nnx_conformance.observation import Line, Observation, Raised, Thing
from nnx_conformance.plain_text import short
from nnx_conformance.timeline import main_calls

RAISED = "Mend what raises; the smallest case shows it, and `replay` tries it again."

WRITTEN_OUT = (
    "this Flax has no in-place operator there; write the assignment out",
    "Write it out, `self.count.value = self.count.value + 1.0`.",
)
#: What Python or Flax says, names of which one must stand in the line if any are given, what it means, and the remedy.
KNOWN = (
    ("In-place operations are no longer supported", (), *WRITTEN_OUT),
    ("has no attribute '__i", (), *WRITTEN_OUT),
    (
        "object does not support item assignment",
        ("[...]",),
        "this Flax has no `[...]` on a Variable; it came with 0.10.7",
        "Write to `.value`, as `self.count.value = self.count.value + 1.0`.",
    ),
    (
        "cannot be interpreted as an integer",
        ("n_calls", "seed"),
        "`seed` and `n_calls` come as floats, and an integer is needed here",
        "Convert first, `for _ in range(int(n_calls)):`.",
    ),
    (
        "object has no attribute 'value'",
        (),
        "`.value` is asked of something that is no Variable",
        "Keep an `nnx.Variable` there, and write to its contents only.",
    ),
)

ARRAYS = ("jax.Array", "numpy.ndarray")


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is a JAX or NumPy array of shape (2,) and a real floating dtype.",
    remedy="Return one array of the two numbers, `jnp.array([model.count.value, last_x.sum()])`.",
    wrong="return [model.count.value, last_x.sum()]",
    right="return jnp.array([model.count.value, last_x.sum()])",
)
def returns_pair(case: Case, seen: Observation) -> Judgement:
    if raised := seen.run.raised:
        by = culprit(seen)
        if by != RETURNS:
            return Blocked(by)
        return replace(_raised(raised), follows=(IN_VARIABLE,)) if seen.foreign else _raised(raised)
    wrong = _no_pair(seen.run.result)
    if not wrong:
        return None
    what, cause = wrong
    wanted = "an array of shape (2,) and a real floating dtype"
    return Violation(what, wanted, shown(seen.run.result), line=places.returned(seen), cause=cause)


def _raised(raised: Raised) -> Violation:
    message = raised.message.strip().partition("\n")[0]
    cause, remedy = _cause_of(raised)
    left = raised.type in ("SystemExit", "KeyboardInterrupt")
    what = f"the candidate left by {raised.type}" if left else f"the candidate raised {raised.type}"
    return Violation(
        f"{what}: {short(message, 300)}" if message else what,
        "an array of shape (2,)",
        raised.type,
        line=raised.line,
        cause=cause,
        remedy=remedy,
    )


def _cause_of(raised: Raised) -> tuple[str, str]:
    """The cause of an exception, and the remedy."""
    line = raised.line.source if raised.line else ""
    for words, among, cause, remedy in KNOWN:
        if words in raised.message and (not among or any(name in line for name in among)):
            return cause, remedy
    return "an exception of the candidate's own code, so there is no result to judge", RAISED


def _no_pair(thing: Thing | None) -> tuple[str, str] | None:
    """What is wrong with a result, and the cause; None if it is as it must be."""
    if thing is None or thing.type not in ARRAYS:
        kind = thing.type if thing else "nothing"
        hint = "a tracer escaped from a trace" if kind == "tracer" else f"a {kind} is no array, whatever it holds"
        return f"the result is of type {kind}", hint
    if thing.array is None:
        objects = "dtype=object" in thing.text
        hint = (
            "its dtype is object: it holds Python objects, not numbers" if objects else "it was deleted, or holds keys"
        )
        return "the result is an array without numbers that can be read", hint
    if not has_shape(thing.array, (2,)):
        return f"the result has shape {thing.array.shape}", "the two numbers are not in one array of length 2"
    if thing.array.dtype.kind != "f" and thing.array.dtype.name != "bfloat16":
        return f"the result has dtype {thing.array.dtype.name}", "it was built or cast to a dtype without fractions"
    return None


@check(
    id="count-equals-calls",
    level=MUST,
    requirement="`result[0]` equals `int(n_calls)`, exactly.",
    remedy="Call the model `int(n_calls)` times, raise the count by 1.0 in each, and return the count as it is.",
    wrong="for _ in range(int(n_calls) + 1):\n    last_x = model(x)",
    right="for _ in range(int(n_calls)):\n    last_x = model(x)",
)
def count_equals_calls(case: Case, seen: Observation) -> Judgement:
    if (result := pair(seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    asked = calls_asked(case)
    if equal(result[0], np.float64(asked)):
        return None
    if lost_in_trace(seen, case):
        return Blocked(TRACED)
    cause, line = _why_miscounted(seen, asked, float(result[0]))
    return Violation(
        f"result[0] is {text(float(result[0]))} after n_calls={asked}",
        text(asked),
        text(float(result[0])),
        line=line,
        cause=cause,
        symptom_of=(TRACED,) if unseen(case, seen) else (),
        follows=(INCREMENT, IN_VARIABLE) if _true_to_the_calls(seen, float(result[0])) else (),
    )


def _true_to_the_calls(seen: Observation, got: float) -> bool:
    """Whether a wrong count is what the model holds, or the number of its calls, and so the result is not to blame."""
    return got in held_at_end(seen) or got == len(main_calls(base(seen)))


def _why_miscounted(seen: Observation, asked: int, got: float) -> tuple[str, Line | None]:
    """Why the count is wrong, and where: the loop, the first value, a call, or what is returned."""
    run, here = base(seen), places.returned(seen)
    calls, moves = main_calls(run), movements(run)
    if calls and len(calls) != asked:
        times = "once" if len(calls) == 1 else f"{len(calls)} times"
        return f"the module was called {times}, not {asked}", places.loop(run, calls[-1])
    if not calls and got == 0:
        return "no call of a module was seen", places.empty_loop(run) or here
    if got not in held_at_end(seen):
        held = f"; the model holds {text(moves[0].last)}" if moves else ""
        return f"the number returned is not the count that the calls lead to{held}", here
    if moves and moves[0].first != 0:
        return f"the count starts at {text(moves[0].first)}", places.made_at(run, moves[0].slot.path)
    path = moves[0].slot.path if moves else "count"
    return "the calls lead to this count", places.moved_at(run, path, inside=True) or here


@check(
    id="sum-preserved",
    level=MUST,
    requirement="`result[1]` is the sum of `x`, within the error bound of float32 summation in any order.",
    remedy="Return `last_x.sum()` of the output of the last call, in float32, with nothing dropped, scaled or cast.",
    wrong="return jnp.array([model.count.value, last_x.mean()])",
    right="return jnp.array([model.count.value, last_x.sum()])",
)
def sum_preserved(case: Case, seen: Observation) -> Judgement:
    if (result := pair(seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    wanted = expected_sum(case["x"])
    if close(float(result[1]), wanted.value, wanted.bound):
        return None
    return Violation(
        f"result[1] is {result[1]:.9g}, the sum of x is {wanted.value:.9g}",
        f"{wanted.value:.9g} ± {wanted.bound:.2g}",
        f"{result[1]:.9g}",
        line=places.returned(seen),
        cause=like(case["x"], calls_asked(case), float(result[1])),
        follows=_sum_follows(seen, float(result[1])),
    )


def _sum_follows(seen: Observation, got: float) -> tuple[str, ...]:
    """The checks of which a wrong sum is a consequence: a wrong dtype, a wrong output, another result each time."""
    array = seen.run.result.array if seen.run.result is not None else None
    follows = [RETURNS] if array is not None and array.dtype.kind in "iub" else []
    calls = main_calls(base(seen))
    returned = calls[-1].returned if calls else None
    output = base(seen).returns[returned].array if returned is not None else None
    if output is not None and output.dtype.kind in "biuf" and close(got, *_bounded(output)):
        follows.append(OUTPUT)
    if seen.again is not None and not same_result(seen.run.result, seen.again.result):
        follows.append(FRESH)
    return tuple(follows)


def _bounded(output: np.ndarray) -> tuple[float, float]:
    wanted = expected_sum(output.ravel())
    return wanted.value, wanted.bound


CHECKS = (returns_pair, count_equals_calls, sum_preserved)
