"""The same state in three frameworks: a running mean in Flax NNX, in Flax Linen, or in PyTorch."""

from __future__ import annotations

from nnx_conformance.contract import Contract
from nnx_conformance.contracts.derived import ordered
from nnx_conformance.contracts.running_mean import edges, results, state, steps
from nnx_conformance.contracts.running_mean.domain import DOMAINS
from nnx_conformance.contracts.running_mean.evidence import FRESH, RETURNS, steps_asked
from nnx_conformance.observer import FRAMEWORKS

#: In the order of reports.
ORDER = (
    "returns-mean mean-follows-formula mean-in-state statistic-not-param starts-from-zeros state-threaded "
    "one-update-per-step accumulates-in-float32 no-autograd-history wrapper-kept result-reads-state "
    "fresh-state-per-run input-untouched no-steps many-steps nan-batch other-dtypes scalar-types quiet current-access"
)

CONTRACT = Contract(
    name="running-mean",
    title="running_mean(seed, batches, momentum): the running mean of batches [steps, batch, features], in Flax "
    "NNX, Flax Linen or PyTorch; returns it, [features].",
    version="1",
    entry="running_mean",
    parameters=("seed", "batches", "momentum"),
    domains=DOMAINS,
    checks=ordered(ORDER, results.CHECKS, state.CHECKS, steps.CHECKS, edges.CHECKS, words={}),
    calls=steps_asked,
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.running_mean.right.nnx_batch_stat:running_mean",
    catalogue="nnx_reference.running_mean",
    observer=FRAMEWORKS,
)

__all__ = ["CONTRACT"]
