"""Lifted transforms: a counter for each lane, under `nnx.jit`, `nnx.vmap` and `nnx.scan`."""

from __future__ import annotations

from nnx_conformance.contract import SHOULD, Check, Contract
from nnx_conformance.contracts.derived import ordered
from nnx_conformance.contracts.lifted import compiling, interventions, lifting, results
from nnx_conformance.contracts.lifted.domain import DOMAINS
from nnx_conformance.contracts.lifted.evidence import FRESH, RETURNS, calls_asked, culprit
from nnx_conformance.contracts.mutability.edges import invariants
from nnx_conformance.observer import LIFTED

#: In the order of reports.
ORDER = (
    "returns-lanes count-equals-calls sum-preserved counts-in-variable runs-lifted one-count-per-lane "
    "one-increment-per-call no-retrace counter-not-param wrapper-kept no-traced-mutation result-reads-state "
    "result-reads-output fresh-state-per-run input-untouched one-trace zero-calls many-calls other-dtypes scalar-types "
    "quiet current-access"
)


def _edge(name: str, requirement: str, remedy: str, wrong: str, right: str) -> Check:
    return Check(name, SHOULD, requirement, remedy, invariants(results.RESULT, culprit), wrong, right, domain=name)


EDGES = (
    _edge(
        "zero-calls",
        "With `n_calls` 0 every lane is `[0, xs[lane].sum()]`.",
        "Let the last output start as `xs`.",
        "for _ in range(int(n_calls)):\n    ys = step(models, xs)  # unbound when there is no call",
        "ys = xs\nfor _ in range(int(n_calls)):\n    ys = step(models, xs)",
    ),
    _edge(
        "many-calls",
        "The invariants hold for 200 calls.",
        "Keep the count in float32, and do not unroll the loop inside a compiled function.",
        "self.count = nnx.Variable(jnp.array(0, jnp.int8))",
        "self.count = nnx.Variable(jnp.array(0.0))",
    ),
    _edge(
        "other-dtypes",
        "The invariants hold for float16 and int32.",
        "Do not cast `xs`, and let the result be float32.",
        "jnp.stack([counts.astype(xs.dtype), ys.sum(1)], 1)",
        "jnp.stack([counts, ys.sum(1).astype(jnp.float32)], 1)",
    ),
    _edge(
        "scalar-types",
        "The invariants hold when `n_calls` is a NumPy scalar.",
        "Convert with `int(...)` before use.",
        "assert isinstance(n_calls, float)",
        "for _ in range(int(n_calls)):",
    ),
)

CONTRACT = Contract(
    name="lifted",
    title="lifted_count(seed, xs, n_calls): a counter for each lane of xs [lanes, features], under lifted transforms; "
    "returns [n_calls, xs[lane].sum()] for each lane.",
    version="1",
    entry="lifted_count",
    parameters=("seed", "xs", "n_calls"),
    domains=DOMAINS,
    checks=ordered(ORDER, results.CHECKS, lifting.CHECKS, compiling.CHECKS, interventions.CHECKS, EDGES, words={}),
    calls=calls_asked,
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.lifted.right.vmap_over_lanes:lifted_count",
    catalogue="nnx_reference.lifted",
    observer=LIFTED,
)

__all__ = ["CONTRACT"]
