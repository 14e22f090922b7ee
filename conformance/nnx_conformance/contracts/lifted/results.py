"""Checks of what the candidate returns and of what a call leaves behind."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.compare import close
from nnx_conformance.contract import MUST, SHOULD, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.lifted.evidence import (
    COUNT,
    FRESH,
    INCREMENT,
    LIFTED,
    PER_LANE,
    RETURNS,
    SUM,
    calls_asked,
    counted,
    culprit,
    lanes_asked,
    looked,
    made_none,
    result,
    shown,
    sums,
)
from nnx_conformance.contracts.mutability import advice, places, runs
from nnx_conformance.contracts.mutability.results import RAISED
from nnx_conformance.observation import Observation
from nnx_conformance.plain_text import short
from nnx_conformance.request import AGAIN


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is a JAX or NumPy array of shape [lanes, 2] and a real floating dtype.",
    remedy="Stack the counts and sums of the lanes, `jnp.stack([counts, ys.sum(1)], axis=1)`.",
    wrong="return jnp.array([counts, ys.sum(1)])  # shape [2, lanes]",
    right="return jnp.stack([counts, ys.sum(1)], axis=1)",
)
def returns_lanes(case: Case, seen: Observation) -> Judgement:
    if raised := seen.run.raised:
        if culprit(seen) != RETURNS:
            return Blocked(culprit(seen))
        message = short(raised.message.strip().partition("\n")[0], 300)
        what = f"the candidate raised {raised.type}: {message}"
        follows = ("counts-in-variable",) if seen.foreign else ()
        return Violation(
            what, "an array of shape [lanes, 2]", raised.type, line=raised.line, remedy=RAISED, follows=follows
        )
    thing, wanted = seen.run.result, (lanes_asked(case), 2)
    kind = thing.type if thing else "nothing"
    if thing is None or kind not in ("jax.Array", "numpy.ndarray") or thing.array is None:
        return Violation(f"the result is of type {kind}", f"shape {wanted}", kind, line=places.returned(seen))
    if thing.array.shape != wanted:
        shape = thing.array.shape
        return Violation(f"the result has shape {shape}", f"shape {wanted}", f"{shape}", line=places.returned(seen))
    if thing.array.dtype.kind != "f" and thing.array.dtype.name != "bfloat16":
        name = thing.array.dtype.name
        return Violation(f"the result has dtype {name}", "a floating dtype", name, line=places.returned(seen))
    return None


@check(
    id=COUNT,
    level=MUST,
    requirement="`result[:, 0]` equals `int(n_calls)` in every lane, exactly.",
    remedy="Call the model `int(n_calls)` times, and let a lifted transform carry its state: `nnx.vmap` and `nnx.jit` "
    "do so by themselves, `nnx.scan` where the model is `nnx.Carry`.",
    wrong="nnx.scan(body, in_axes=(None, 0))  # broadcast: what the body writes is dropped",
    right="nnx.scan(body, in_axes=(nnx.Carry, 0))",
)
def count_equals_calls(case: Case, seen: Observation) -> Judgement:
    if (got := result(case, seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    asked = calls_asked(case)
    if np.array_equal(got[:, 0], np.full(lanes_asked(case), float(asked))):
        return None
    return Violation(
        f"result[:, 0] is {shown(got[:, 0])} after n_calls={asked}",
        f"{asked} in every lane",
        shown(got[:, 0]),
        line=places.returned(seen),
        cause=_why(case, seen, got[:, 0]),
        follows=(LIFTED, PER_LANE, INCREMENT),
    )


def _why(case: Case, seen: Observation, counts: np.ndarray) -> str:
    asked, lanes = calls_asked(case), lanes_asked(case)
    if made_none(seen):
        return "no model was made that could count"
    if not counts.any() and _counts_beside(asked, seen):
        return "the models count, and the result is read before their last call, or from others"
    if not counts.any():
        return "the updates are lost: a plain transform works on a copy, and `nnx.scan` drops what it broadcasts"
    if lanes > 1 and np.all(counts == asked * lanes):
        return "one count is raised for all lanes"
    return "the calls lead to another count"


def _counts_beside(asked: int, seen: Observation) -> bool:
    """Whether the models came to the number of calls, and no transform is there that drops what they write."""
    run = looked(seen)
    found = counted(run) if run and seen.run.calls else None
    through = [name for one in (seen.run, run) if one for call in one.calls for name in call.through]
    dropping = any(name.startswith("jax.") or name == "nnx.scan" for name in through)
    return found is not None and not dropping and bool(np.any(found.moments[-1][1] == asked))


@check(
    id=SUM,
    level=MUST,
    requirement="`result[:, 1]` is the sum of each lane of `xs`, within the error bound of float32 summation.",
    remedy="Return the sum of each lane of the last output, `ys.sum(axis=1)`.",
    wrong="ys.sum(axis=0)",
    right="ys.sum(axis=1)",
)
def sum_preserved(case: Case, seen: Observation) -> Judgement:
    if (got := result(case, seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    for lane, (observed, wanted) in enumerate(zip(got[:, 1], sums(case), strict=True)):
        if not close(float(observed), wanted.value, wanted.bound):
            return Violation(
                f"result[{lane}, 1] is {observed:.9g}, the sum of the lane is {wanted.value:.9g}",
                f"{wanted.value:.9g} ± {wanted.bound:.2g}",
                f"{observed:.9g}",
                line=places.returned(seen),
                cause="elements were dropped, changed or rounded, or added along the other axis",
            )
    return None


@check(
    id=FRESH,
    level=MUST,
    requirement="The same case gives the same result again, whatever ran before: no state outlives the call.",
    remedy="Build the models inside the function. A compiled step may live at module level; a model may not.",
    wrong="model = make(jax.random.split(key, 8))  # at module level",
    right="def lifted_count(seed, xs, n_calls):\n    model = make(keys)",
    probes=(AGAIN,),
)
def fresh_state_per_run(case: Case, seen: Observation) -> Judgement:
    return runs.repeated(seen, culprit(seen))


@check(
    id="input-untouched",
    level=MUST,
    requirement="`xs` is alive afterwards (neither donated nor deleted) and equal to what it was.",
    remedy="Do not donate `xs`.",
    wrong="step = nnx.jit(step, donate_argnums=1)",
    right="step = nnx.jit(step)",
)
def input_untouched(case: Case, seen: Observation) -> Judgement:
    return runs.untouched(case, seen, "xs")


@check(
    id="current-access",
    level=SHOULD,
    requirement="No access that the installed Flax deprecates.",
    remedy="Do what the warning says; from Flax 0.12 on, `self.count[...]` instead of `.value`.",
    wrong="self.count.value = self.count.value + 1.0  # deprecated from Flax 0.12 on",
    right="self.count[...] = self.count[...] + 1.0  # needs Flax 0.10",
)
def current_access(case: Case, seen: Observation) -> Judgement:
    found = advice.current_access.judge(case, seen)
    return Blocked(culprit(seen)) if isinstance(found, Blocked) else found


RESULT = (returns_lanes, count_equals_calls, sum_preserved, input_untouched)
CHECKS = (*RESULT, fresh_state_per_run, advice.quiet, current_access)
