"""SHOULD checks on the edge domain: the same invariants, each on one part of it."""

from __future__ import annotations

from nnx_conformance.contract import SHOULD, Check
from nnx_conformance.contracts.mutability.edges import invariants
from nnx_conformance.contracts.running_mean.evidence import culprit
from nnx_conformance.contracts.running_mean.results import input_untouched, mean_follows_formula, returns_mean

RESULT = (returns_mean, mean_follows_formula, input_untouched)


def _edge(name: str, requirement: str, remedy: str, wrong: str, right: str) -> Check:
    return Check(name, SHOULD, requirement, remedy, invariants(RESULT, culprit), wrong, right, domain=name)


CHECKS = (
    _edge(
        "no-steps",
        "Without any step the result is zeros.",
        "Make the state from the number of features, `batches.shape[2]`, not from the first batch.",
        "variables = model.init(key, batches[0])",
        "variables = model.init(key, jnp.zeros(batches.shape[1:]))",
    ),
    _edge(
        "many-steps",
        "The invariants hold for 300 steps.",
        "Keep the mean in float32, and no history of it.",
        "self.means.append(mean)",
        "self.mean.value = mean",
    ),
    _edge(
        "nan-batch",
        "A NaN in a batch makes the mean of its feature NaN, and no other.",
        "Do not mask or replace elements: who monitors the mean must see it.",
        "jnp.nanmean(batch, 0)",
        "batch.mean(0)",
    ),
    _edge(
        "other-dtypes",
        "The invariants hold for batches of float16 and int32.",
        "Convert a batch to float32 before it is averaged: `torch.from_numpy(batch).float()`.",
        "torch.from_numpy(batch).mean(0)  # refuses int32",
        "torch.from_numpy(batch).float().mean(0)",
    ),
    _edge(
        "scalar-types",
        "The invariants hold when `seed` and `momentum` are NumPy scalars.",
        "Convert with `int(seed)` and `float(momentum)`.",
        "assert isinstance(momentum, float)",
        "momentum = float(momentum)",
    ),
)
