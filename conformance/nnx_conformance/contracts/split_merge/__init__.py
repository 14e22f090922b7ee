"""The functional form of the first exercise: the state goes through plain `jax.jit` by `nnx.split` and `nnx.merge`."""

from __future__ import annotations

from nnx_conformance.contract import Contract
from nnx_conformance.contracts.derived import ordered
from nnx_conformance.contracts.mutability import advice, calls, edges, interventions, results, runs, state, traces
from nnx_conformance.contracts.mutability.counted import timeline
from nnx_conformance.contracts.mutability.domain import DOMAINS
from nnx_conformance.contracts.mutability.evidence import RETURNS, calls_asked
from nnx_conformance.contracts.split_merge import threading
from nnx_conformance.contracts.split_merge.words import WORDS
from nnx_conformance.observer import COMPILED_FUNCTIONS

#: In the order of reports.
ORDER = (
    "returns-pair count-equals-calls sum-preserved state-threaded runs-in-jax-jit no-retrace counts-in-variable "
    "wrapper-kept counter-not-param one-increment-per-call output-unchanged no-traced-mutation result-reads-state "
    "result-reads-output fresh-state-per-run input-untouched one-trace key-consumed one-variable-named-count "
    "zero-calls many-calls empty-x non-finite-x other-dtypes long-x any-seed scalar-types quiet current-access"
)
GROUPS = (
    *(module.CHECKS for module in (results, runs, state, calls, interventions, traces, advice, edges)),
    threading.CHECKS,
)

CONTRACT = Contract(
    name="split-merge",
    title="functional_count(seed, x, n_calls): a counter whose state goes through plain jax.jit, split and merged; "
    "returns [n_calls, x.sum()].",
    version="1",
    entry="functional_count",
    parameters=("seed", "x", "n_calls"),
    domains=DOMAINS,
    checks=ordered(ORDER, *GROUPS, words=WORDS),
    calls=calls_asked,
    fallback=RETURNS,
    history="fresh-state-per-run",
    control="nnx_reference.split_merge.right.merges_after_the_loop:functional_count",
    timeline=timeline,
    catalogue="nnx_reference.split_merge",
    observer=COMPILED_FUNCTIONS,
)

__all__ = ["CONTRACT"]
