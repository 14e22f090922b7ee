"""Checks of the candidate's result, and of the effects of a call."""

from __future__ import annotations

import numpy as np

from nnx_conformance.contracts import blame, checks, claims
from nnx_conformance.contracts.reading import own_exception
from nnx_conformance.contracts.running_mean.likeness import like
from nnx_conformance.contracts.running_mean.reading import EXPLAINING, RETURNS, MeanReading, a_mean
from nnx_conformance.contracts.wording import numbers_text
from nnx_conformance.core.candidate.loaded import missing
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import MUST, Judgement, Violation, check
from nnx_conformance.core.facts import Value

MUTABLE = 'Name the collection: `_, updated = model.apply(variables, batch, mutable=["batch_stats"])`.'
ARRAYS = (*claims.ARRAYS, "torch.Tensor")


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is an array of JAX, NumPy or PyTorch, of shape [features] and a real floating dtype.",
    remedy="Return the mean itself, `model.running_mean`, of one number for each feature.",
    wrong="return float(mean.mean())",
    right="return mean",
    needs=(own_exception,),
    claims=lambda _, reading: claims.a_result(reading.run, (reading.features,), ARRAYS),
)
def returns_mean(_: Case, reading: MeanReading) -> Judgement:
    if raised := reading.run.raised:
        cause = missing(raised) or "the candidate's own code raised, so there is no result to judge"
        remedy = "" if missing(raised) else checks.RAISED
        if raised.type == "ModifyScopeVariableError":
            cause, remedy = "`apply` was called without the collection that the module writes to in `mutable=`", MUTABLE
        return checks.exception(raised, "an array of shape [features]", cause=cause, remedy=remedy)
    value, shape = reading.run.result, (reading.features,)
    observed = value.type if value else "nothing"
    return Violation(_no_mean(value, shape), f"an array of shape {shape}", observed, line=blame.returned(reading.run))


def _no_mean(value: Value | None, shape: tuple[int, ...]) -> str:
    if value is None or value.type not in ARRAYS:
        return f"the result is of type {value.type if value else 'nothing'}"
    if value.array is None:
        return "the numbers of the result cannot be read"
    if value.array.shape != shape:
        return f"the result has shape {value.array.shape}, and there are {shape[0]} features"
    return f"the result has dtype {value.array.dtype.name}"


@check(
    id="mean-follows-formula",
    level=MUST,
    requirement="The result is what `mean <- momentum * mean + (1 - momentum) * batch.mean(0)` leads to from zeros, "
    "within the error bound of float32 arithmetic.",
    remedy="Update once a step, with `momentum` before the old mean: PyTorch's `momentum` is one minus this one.",
    wrong="self.mean = (1 - momentum) * self.mean + momentum * batch.mean(0)",
    right="self.mean = momentum * self.mean + (1 - momentum) * batch.mean(0)",
    needs=(a_mean,),
    claims=lambda _, reading: [reading.means.near(reading.result)],
)
def mean_follows_formula(case: Case, reading: MeanReading) -> Judgement:
    result, means = reading.result, reading.means
    assert result is not None  # by the need `a_mean`
    bound, cause = means.bounds[-1], like(case["batches"], reading.momentum, result, means.bounds[-1])
    observed, mean = numbers_text(result), numbers_text(means.values[-1])
    what, expected = f"the result is {observed}, the mean is {mean}", f"{mean} ± {np.nanmax(bound, initial=0.0):.2g}"
    line = blame.returned(reading.run)
    return Violation(what, expected, observed, line=line, cause=cause, because=EXPLAINING)


fresh_state = checks.fresh_state(
    remedy="Build the model and its state inside the function, and keep nothing at module level, in a default argument "
    "or in a cache.",
    wrong="model = RunningMean()  # at module level",
    right="def running_mean(seed, batches, momentum):\n    model = RunningMean()",
)
batches_untouched = checks.input_untouched(
    "batches",
    requirement="The call does not change `batches`.",
    remedy="Do not write into the argument: `torch.from_numpy(batches)` shares its memory, so no `mul_` on it.",
    wrong="batch = torch.from_numpy(batches[step]).mul_(1 - momentum)",
    right="batch = torch.from_numpy(batches[step]) * (1 - momentum)",
)
current_access = checks.current_access(
    remedy="Do what the warning says; from Flax 0.12 on, `self.mean[...]` instead of `.value`.",
    wrong="self.mean.value = ...  # deprecated from Flax 0.12 on",
    right="self.mean[...] = ...  # needs Flax 0.10.7",
)
RESULT = (returns_mean, mean_follows_formula, batches_untouched)
