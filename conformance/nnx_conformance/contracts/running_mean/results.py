"""Checks of what the candidate returns and of what a call leaves behind."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, SHOULD, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import advice, places, runs
from nnx_conformance.contracts.mutability.results import RAISED
from nnx_conformance.contracts.running_mean.evidence import (
    FORMULA,
    FRESH,
    RETURNS,
    culprit,
    near,
    result,
    shown,
    wanted,
)
from nnx_conformance.contracts.running_mean.likeness import like
from nnx_conformance.missing import missing
from nnx_conformance.observation import Observation, Raised, Thing
from nnx_conformance.plain_text import short
from nnx_conformance.request import AGAIN

MUTABLE = 'Name the collection: `_, updated = model.apply(variables, batch, mutable=["batch_stats"])`.'
ARRAYS = ("jax.Array", "numpy.ndarray", "torch.Tensor")


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is an array of JAX, NumPy or PyTorch, of shape [features] and a real floating dtype.",
    remedy="Return the mean itself, `model.running_mean`, of one number for each feature.",
    wrong="return float(mean.mean())",
    right="return mean",
)
def returns_mean(case: Case, seen: Observation) -> Judgement:
    if raised := seen.run.raised:
        return _raised(raised) if culprit(seen) == RETURNS else Blocked(culprit(seen))
    shape = case["batches"].shape[2:]
    if problem := _no_mean(seen.run.result, shape):
        observed = seen.run.result.type if seen.run.result else "nothing"
        return Violation(problem, f"an array of shape {shape}", observed, line=places.returned(seen))
    return None


def _raised(raised: Raised) -> Violation:
    message = short(raised.message.strip().partition("\n")[0], 300)
    cause = missing(raised) or "an exception of the candidate's own code, so there is no result to judge"
    what = f"the candidate raised {raised.type}: {message}"
    remedy = "" if missing(raised) else RAISED
    if raised.type == "ModifyScopeVariableError":
        cause, remedy = "`apply` was called without the collection that the module writes to in `mutable=`", MUTABLE
    return Violation(what, "an array of shape [features]", raised.type, line=raised.line, cause=cause, remedy=remedy)


def _no_mean(thing: Thing | None, shape: tuple[int, ...]) -> str:
    if thing is None or thing.type not in ARRAYS:
        return f"the result is of type {thing.type if thing else 'nothing'}"
    if thing.array is None:
        return "the result is an array without numbers that can be read"
    if thing.array.shape != shape:
        return f"the result has shape {thing.array.shape}, and there are {shape[0]} features"
    if thing.array.dtype.kind != "f" and thing.array.dtype.name != "bfloat16":
        return f"the result has dtype {thing.array.dtype.name}"
    return ""


@check(
    id=FORMULA,
    level=MUST,
    requirement="The result is what `mean <- momentum * mean + (1 - momentum) * batch.mean(0)` leads to from zeros, "
    "within the error bound of float32 arithmetic.",
    remedy="Update once a step, with `momentum` before the old mean: PyTorch's `momentum` is one minus this one.",
    wrong="self.mean = (1 - momentum) * self.mean + momentum * batch.mean(0)",
    right="self.mean = momentum * self.mean + (1 - momentum) * batch.mean(0)",
)
def mean_follows_formula(case: Case, seen: Observation) -> Judgement:
    if (got := result(case, seen)) is None:
        return Blocked(culprit(seen) or RETURNS)
    means = wanted(case)
    if near(got, means):
        return None
    batches, momentum = case["batches"], float(case["momentum"])
    return Violation(
        f"the result is {shown(got)}, the mean is {shown(means.values[-1])}",
        f"{shown(means.values[-1])} ± {float(np.nanmax(means.bounds[-1], initial=0.0)):.2g}",
        shown(got),
        line=places.returned(seen),
        cause=like(batches, momentum, got, means.bounds[-1]),
        follows=EXPLAINING,
    )


#: What explains a wrong mean better than its number does.
EXPLAINING = ("starts-from-zeros", "state-threaded", "one-update-per-step", "accumulates-in-float32")


@check(
    id=FRESH,
    level=MUST,
    requirement="The same case gives the same result again, whatever ran before: no state outlives the call.",
    remedy="Build the model and its state inside the function, and keep nothing at module level, in a default argument "
    "or in a cache.",
    wrong="model = RunningMean()  # at module level",
    right="def running_mean(seed, batches, momentum):\n    model = RunningMean()",
    probes=(AGAIN,),
)
def fresh_state_per_run(case: Case, seen: Observation) -> Judgement:
    return runs.repeated(seen, culprit(seen))


@check(
    id="input-untouched",
    level=MUST,
    requirement="`batches` is equal afterwards to what it was.",
    remedy="Do not write into the argument: `torch.from_numpy(batches)` shares its memory, so no `mul_` on it.",
    wrong="batch = torch.from_numpy(batches[step]).mul_(1 - momentum)",
    right="batch = torch.from_numpy(batches[step]) * (1 - momentum)",
)
def input_untouched(case: Case, seen: Observation) -> Judgement:
    return runs.untouched(case, seen, "batches")


@check(
    id="current-access",
    level=SHOULD,
    requirement="No access that the installed Flax deprecates.",
    remedy="Do what the warning says; from Flax 0.12 on, `self.mean[...]` instead of `.value`.",
    wrong="self.mean.value = ...  # deprecated from Flax 0.12 on",
    right="self.mean[...] = ...  # needs Flax 0.10",
)
def current_access(case: Case, seen: Observation) -> Judgement:
    found = advice.current_access.judge(case, seen)
    return Blocked(culprit(seen)) if isinstance(found, Blocked) else found


CHECKS = (returns_mean, mean_follows_formula, fresh_state_per_run, input_untouched, advice.quiet, current_access)
