"""Checks of the candidate's result, and of the effects of a call."""

from __future__ import annotations

import numpy as np

from nnx_conformance.contracts import blame, checks, claims
from nnx_conformance.contracts.lifted.reading import INCREMENT, LIFTED, PER_LANE, RETURNS, SUM, LanesReading, a_result
from nnx_conformance.contracts.reading import IN_VARIABLE, own_exception
from nnx_conformance.contracts.sums import expected_sum
from nnx_conformance.contracts.wording import numbers_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, near, same_numbers
from nnx_conformance.core.contract import MUST, Judgement, Violation, check


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is a JAX or NumPy array of shape [lanes, 2] and a real floating dtype.",
    remedy="Stack the counts and sums of the lanes, `jnp.stack([counts, ys.sum(1)], axis=1)`.",
    wrong="return jnp.array([counts, ys.sum(1)])  # shape [2, lanes]",
    right="return jnp.stack([counts, ys.sum(1)], axis=1)",
    needs=(own_exception,),
    claims=lambda _, reading: claims.a_result(reading.run, (reading.lanes, 2)),
)
def returns_lanes(_: Case, reading: LanesReading) -> Judgement:
    if raised := reading.run.raised:
        because = (IN_VARIABLE,) if reading.facts.foreign else ()
        return checks.exception(raised, "an array of shape [lanes, 2]", remedy=checks.RAISED, because=because)
    value, shape, line = reading.run.result, (reading.lanes, 2), blame.returned(reading.run)
    kind = value.type if value else "nothing"
    if value is None or kind not in claims.ARRAYS or value.array is None:
        return Violation(f"the result is of type {kind}", f"shape {shape}", kind, line=line)
    observed, dtype = value.array.shape, value.array.dtype
    if observed != shape:
        return Violation(f"the result has shape {observed}", f"shape {shape}", f"{observed}", line=line)
    return Violation(f"the result has dtype {dtype.name}", "a floating dtype", dtype.name, line=line)


@check(
    id="count-equals-calls",
    level=MUST,
    requirement="`result[:, 0]` equals `int(n_calls)` in every lane, exactly.",
    remedy="Call the model `int(n_calls)` times, and let a lifted transform carry its state: `nnx.vmap` and `nnx.jit` "
    "do so by themselves, `nnx.scan` where the model is `nnx.Carry`.",
    wrong="nnx.scan(body, in_axes=(None, 0))  # broadcast: what the body writes is dropped",
    right="nnx.scan(body, in_axes=(nnx.Carry, 0))",
    needs=(a_result,),
    claims=lambda _, reading: [same_numbers(reading.result[:, 0], reading.requested_calls)],
)
def count_equals_calls(_: Case, reading: LanesReading) -> Judgement:
    requested, observed = reading.requested_calls, numbers_text(reading.result[:, 0])
    what, cause, line = (
        f"result[:, 0] is {observed} after n_calls={requested}",
        _why(reading),
        blame.returned(reading.run),
    )
    because = (LIFTED, PER_LANE, INCREMENT)
    return Violation(what, f"{requested} in every lane", observed, line=line, cause=cause, because=because)


def _why(reading: LanesReading) -> str:
    """Why the counts are wrong."""
    counts, count = reading.result[:, 0], reading.variable
    if not reading.created:
        return "no model was made that could count"
    if counts.any():
        shared = reading.lanes > 1 and np.all(counts == reading.requested_calls * reading.lanes)
        return "all lanes raise one count" if shared else "the calls lead to another count"
    if count and reading.run.calls and np.any(count.moments[-1][1] == reading.requested_calls):
        through = {name for run in (reading.run, count.run) for call in run.calls for name in call.through}
        if not any(name.startswith("jax.") or name == "nnx.scan" for name in through):  # these drop writes
            return "the models count, and the candidate reads the result before their last call, or from other models"
    return "the updates are lost: a plain transform works on a copy, and `nnx.scan` drops what it broadcasts"


def _sums(case: Case, reading: LanesReading) -> list[Claim]:
    """The claims that each lane's sum is right, within its error bound."""
    pairs = zip(reading.result[:, 1], map(expected_sum, case["xs"]), strict=True)
    return [near(observed, expected.value, expected.bound) for observed, expected in pairs]


@check(
    id=SUM,
    level=MUST,
    requirement="`result[:, 1]` is the sum of each lane of `xs`, within the error bound of float32 summation.",
    remedy="Return the sum of each lane of the last output, `ys.sum(axis=1)`.",
    wrong="ys.sum(axis=0)",
    right="ys.sum(axis=1)",
    needs=(a_result,),
    claims=_sums,
)
def sum_preserved(case: Case, reading: LanesReading) -> Judgement:
    lane = next(lane for lane, claim in enumerate(_sums(case, reading)) if not claim.holds())
    observed, expected = reading.result[lane, 1], expected_sum(case["xs"][lane])
    what = f"result[{lane}, 1] is {observed:.9g}, the sum of the lane is {expected.value:.9g}"
    numbers = (f"{expected.value:.9g} ± {expected.bound:.2g}", f"{observed:.9g}")
    cause = "the candidate dropped, changed or rounded elements, or added along the other axis"
    return Violation(what, *numbers, line=blame.returned(reading.run), cause=cause)


fresh_state = checks.fresh_state(
    remedy="Build the models inside the function. A compiled step may live at module level; a model may not.",
    wrong="model = make(jax.random.split(key, 8))  # at module level",
    right="def lifted_count(seed, xs, n_calls):\n    model = make(keys)",
)
xs_untouched = checks.input_untouched(
    "xs",
    requirement="The call neither donates, deletes nor changes `xs`.",
    remedy="Do not donate `xs`.",
    wrong="step = nnx.jit(step, donate_argnums=1)",
    right="step = nnx.jit(step)",
)
current_access = checks.current_access(
    remedy="Do what the warning says; from Flax 0.12 on, `self.count[...]` instead of `.value`.",
    wrong="self.count.value = self.count.value + 1.0  # deprecated from Flax 0.12 on",
    right="self.count[...] = self.count[...] + 1.0  # needs Flax 0.10.7",
)
RESULT = (returns_lanes, count_equals_calls, sum_preserved, xs_untouched)
