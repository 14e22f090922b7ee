"""Checks of what the candidate returns, and of what it does to its argument."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case, array_text
from nnx_conformance.compare import close, equal, has_shape
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability.evidence import (
    RETURNS,
    TRACED,
    base,
    calls_asked,
    culprit,
    lost_in_trace,
    pair,
    text,
    unseen,
)
from nnx_conformance.contracts.mutability.oracle import expected_sum
from nnx_conformance.observation import Observation, Raised, Thing
from nnx_conformance.request import AGAIN
from nnx_conformance.timeline import main_calls

RAISED = "Mend what raises; the smallest case shows it, and `replay` tries it again."

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
        return _raised(raised) if by == RETURNS else Blocked(by)
    wrong = _no_pair(seen.run.result)
    if not wrong:
        return None
    what, cause = wrong
    return Violation(what, "an array of shape (2,) and a real floating dtype", _shown(seen.run.result), cause=cause)


def _raised(raised: Raised) -> Violation:
    message = raised.message.strip().splitlines()[0] if raised.message.strip() else ""
    left = raised.type in ("SystemExit", "KeyboardInterrupt")
    what = f"the candidate left by {raised.type}" if left else f"the candidate raised {raised.type}"
    return Violation(
        f"{what}: {message}"[:300] if message else what,
        "an array of shape (2,)",
        raised.type,
        line=raised.line,
        cause=_cause_of(raised),
        remedy=RAISED,
    )


def _cause_of(raised: Raised) -> str:
    refusals = ("NotImplementedError", "AttributeError", "TypeError")
    if raised.line and "+=" in raised.line.source and raised.type in refusals:
        return "this Flax has no in-place operator there; write the assignment out"
    return "an exception of the candidate's own code, so there is no result to judge"


def _no_pair(thing: Thing | None) -> tuple[str, str] | None:
    """What is wrong with a result, and the cause; None if it is as it must be."""
    if thing is None or thing.type not in ARRAYS:
        kind = thing.type if thing else "nothing"
        hint = "a tracer escaped from a trace" if kind == "tracer" else f"a {kind} is no array, whatever it holds"
        return f"the result is of type {kind}", hint
    if thing.array is None:
        return "the result is an array without numbers that can be read", "it was deleted, or holds keys"
    if not has_shape(thing.array, (2,)):
        return f"the result has shape {thing.array.shape}", "the two numbers are not in one array of length 2"
    if thing.array.dtype.kind != "f" and thing.array.dtype.name != "bfloat16":
        return f"the result has dtype {thing.array.dtype.name}", "it was built or cast to a dtype without fractions"
    return None


def _shown(thing: Thing | None) -> str:
    if thing is None:
        return "nothing"
    return array_text(thing.array) if thing.array is not None else thing.text


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
    return Violation(
        f"result[0] is {text(float(result[0]))} after n_calls={asked}",
        text(asked),
        text(float(result[0])),
        cause=_why_miscounted(seen, asked, float(result[0])),
        symptom_of=(TRACED,) if unseen(case, seen) else (),
    )


def _why_miscounted(seen: Observation, asked: int, got: float) -> str:
    calls = len(main_calls(base(seen)))
    if calls != asked and calls:
        return f"the module was called {calls} times, not {asked}"
    if calls and got == asked + 1:
        return "the count starts at 1, or is raised once more outside the calls"
    if got == 0 and not calls:
        return "no call of a module was seen"
    return "the number returned is not the count that the calls lead to"


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
        cause="further off than float32 summation in any order can be: elements were dropped, changed or rounded",
    )


@check(
    id="fresh-state-per-run",
    level=MUST,
    requirement="The same case gives the same result again, whatever ran before: no state outlives the call.",
    remedy="Build the Rngs and the model inside the function, and keep nothing at module or class level, in a default "
    "argument or in a cache.",
    wrong="model = Counter(nnx.Rngs(0))  # at module level",
    right="def mutability_increment_count(seed, x, n_calls):\n    model = Counter(nnx.Rngs(int(seed)))",
    probes=(AGAIN,),
)
def fresh_state_per_run(case: Case, seen: Observation) -> Judgement:
    assert seen.again is not None
    first, second = seen.run, seen.again
    if first.raised and second.raised:
        return Blocked(culprit(seen))
    if _same(first.result, second.result):
        return None
    then, now = _came_to(first.result, first.raised), _came_to(second.result, second.raised)
    return Violation(
        f"the same case gave {then}, and run again {now}",
        then,
        now,
        line=second.raised.line if second.raised else None,
        cause="something outlives the call (a model or list at module or class level, a default argument, a cache), or "
        "the result depends on chance or time",
    )


def _came_to(result: Thing | None, raised: Raised | None) -> str:
    return f"{raised.type}" if raised else _shown(result)


def _same(a: Thing | None, b: Thing | None) -> bool:
    if a is None or b is None or a.array is None or b.array is None:
        return (a is None) == (b is None) and (a is None or b is None or a.type == b.type)
    return (a.type, a.array.dtype, a.array.shape, a.array.tobytes()) == (
        b.type,
        b.array.dtype,
        b.array.shape,
        b.array.tobytes(),
    )


@check(
    id="input-untouched",
    level=MUST,
    requirement="`x` is alive afterwards (neither donated nor deleted) and equal to what it was.",
    remedy="Do not donate, delete or write into the argument; work on what the calls return.",
    wrong="step = jax.jit(lambda x: x, donate_argnums=0)\nlast_x = step(x)",
    right="last_x = model(x)",
)
def input_untouched(case: Case, seen: Observation) -> Judgement:
    left = next(argument for argument in seen.run.arguments if argument.name == "x")
    if not left.alive:
        return Violation(
            "x was deleted or donated by the call",
            "x alive",
            "x deleted",
            cause="its buffer was given away (`donate_argnums`) or freed (`x.delete()`); no one can use it again",
        )
    if left.array is not None and left.array.tobytes() == np.ascontiguousarray(case["x"]).tobytes():
        return None
    after = array_text(left.array) if left.array is not None else "nothing"
    return Violation(
        f"x was {array_text(case['x'])} and is {after} after the call",
        array_text(case["x"]),
        after,
        cause="something wrote into the buffer of the argument",
    )


CHECKS = (
    returns_pair,
    count_equals_calls,
    sum_preserved,
    fresh_state_per_run,
    input_untouched,
)
