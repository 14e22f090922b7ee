"""A running mean, the same state in three frameworks: Flax NNX, Flax Linen or PyTorch."""

from __future__ import annotations

from nnx_conformance.contracts import checks
from nnx_conformance.contracts.checks import edge
from nnx_conformance.contracts.reading import FRESH
from nnx_conformance.contracts.running_mean import interventions, results, state, steps
from nnx_conformance.contracts.running_mean.domain import DOMAINS
from nnx_conformance.contracts.running_mean.reading import RETURNS, MeanReading, requested_steps
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.observer import FRAMEWORKS

EDGES = (
    edge(
        "no-steps",
        results.RESULT,
        requirement="Without any step the result is zeros.",
        remedy="Make the state from the number of features, `batches.shape[2]`, not from the first batch.",
        wrong="variables = model.init(key, batches[0])",
        right="variables = model.init(key, jnp.zeros(batches.shape[1:]))",
        fits=("IndexError", "UnboundLocalError", "TypeError", "AttributeError", "returns-mean"),
    ),
    edge(
        "many-steps",
        results.RESULT,
        requirement="The invariants hold for 300 steps.",
        remedy="Keep the mean in float32, and no history of it.",
        wrong="self.means.append(mean)",
        right="self.mean.value = mean",
    ),
    edge(
        "nan-batch",
        results.RESULT,
        requirement="A NaN in a batch makes the mean of its feature NaN, and no other.",
        remedy="Do not mask or replace elements: a NaN must show in the mean.",
        wrong="jnp.nanmean(batch, 0)",
        right="batch.mean(0)",
    ),
    edge(
        "other-dtypes",
        results.RESULT,
        requirement="The invariants hold for batches of float16 and int32.",
        remedy="Convert a batch to float32 before you average it: `torch.from_numpy(batch).float()`.",
        wrong="torch.from_numpy(batch).mean(0)  # refuses int32",
        right="torch.from_numpy(batch).float().mean(0)",
    ),
    edge(
        "scalar-types",
        results.RESULT,
        requirement="The invariants hold when `seed` and `momentum` are NumPy scalars.",
        remedy="Convert with `int(seed)` and `float(momentum)`.",
        wrong="assert isinstance(momentum, float)",
        right="momentum = float(momentum)",
        fits=("TypeError", "AssertionError"),
    ),
)

CONTRACT = Contract(
    name="running-mean",
    title="running_mean(seed, batches, momentum): the running mean of batches [steps, batch, features], in Flax "
    "NNX, Flax Linen or PyTorch; returns it, [features].",
    version="1",
    entry="running_mean",
    parameters=("seed", "batches", "momentum"),
    domains=DOMAINS,
    read=MeanReading,
    checks=(  # in the order of reports
        results.returns_mean,
        results.mean_follows_formula,
        state.mean_in_state,
        state.statistic_not_param,
        state.starts_from_zeros,
        steps.state_threaded,
        steps.one_update_per_step,
        state.accumulates_in_float32,
        state.no_autograd_history,
        state.wrapper_kept,
        interventions.result_reads_state,
        results.fresh_state,
        results.batches_untouched,
        *EDGES,
        checks.quiet,
        results.current_access,
    ),
    calls=requested_steps,
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.running_mean.right.nnx_batch_stat:running_mean",
    catalogue="nnx_reference.running_mean",
    observer=FRAMEWORKS,
)

__all__ = ["CONTRACT"]
