"""The first contract: `mutability_increment_count(seed, x, n_calls)`, a counter that is raised eagerly."""

from __future__ import annotations

from nnx_conformance.contract import Contract
from nnx_conformance.contracts.mutability import advice, calls, edges, interventions, results, runs, state, traces
from nnx_conformance.contracts.mutability.counted import timeline
from nnx_conformance.contracts.mutability.domain import DOMAINS
from nnx_conformance.contracts.mutability.evidence import RETURNS, calls_asked

#: In the order of the specification, which is the order of reports.
ORDER = (  # noqa: SIM905 - one word after the other reads better than 27 lines
    "returns-pair count-equals-calls sum-preserved counts-in-variable wrapper-kept counter-not-param "
    "one-increment-per-call output-unchanged no-traced-mutation result-reads-state result-reads-output "
    "fresh-state-per-run input-untouched key-consumed one-variable-named-count no-in-place-add eager-calls "
    "zero-calls many-calls empty-x non-finite-x other-dtypes long-x any-seed scalar-types quiet current-access"
).split()

_checks = {
    check.id: check
    for module in (results, runs, state, calls, interventions, traces, advice, edges)
    for check in module.CHECKS
}

CONTRACT = Contract(
    name="mutability",
    title="mutability_increment_count(seed, x, n_calls): a counter module, called eagerly, returns [n_calls, x.sum()].",
    version="1",
    entry="mutability_increment_count",
    parameters=("seed", "x", "n_calls"),
    domains=DOMAINS,
    checks=tuple(_checks[check_id] for check_id in ORDER),
    calls=calls_asked,
    fallback=RETURNS,
    history="fresh-state-per-run",
    control="nnx_reference.solution:mutability_increment_count",
    timeline=timeline,
    catalogue="nnx_reference.mutability",
)

__all__ = ["CONTRACT"]
