"""Lifted transforms: one counter a lane, under `nnx.jit`, `nnx.vmap` and `nnx.scan`."""

from __future__ import annotations

from nnx_conformance.contracts import checks
from nnx_conformance.contracts.checks import edge
from nnx_conformance.contracts.lifted import interventions, lifting, outputs, results, state
from nnx_conformance.contracts.lifted.domain import DOMAINS
from nnx_conformance.contracts.lifted.reading import RETURNS, SUM, LanesReading
from nnx_conformance.contracts.reading import FRESH
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.observer import LIFTED

EDGES = (
    edge(
        "zero-calls",
        results.RESULT,
        requirement="With `n_calls` 0 every lane is `[0, xs[lane].sum()]`.",
        remedy="Let the last output start as `xs`.",
        wrong="for _ in range(int(n_calls)):\n    ys = step(models, xs)  # unbound when there is no call",
        right="ys = xs\nfor _ in range(int(n_calls)):\n    ys = step(models, xs)",
        fits=("UnboundLocalError", "NameError", "AttributeError", "TypeError", SUM, RETURNS),
    ),
    edge(
        "many-calls",
        results.RESULT,
        requirement="The invariants hold for 200 calls.",
        remedy="Keep the count in float32, and do not unroll the loop inside a compiled function.",
        wrong="self.count = nnx.Variable(jnp.array(0, jnp.int8))",
        right="self.count = nnx.Variable(jnp.array(0.0))",
    ),
    edge(
        "other-dtypes",
        results.RESULT,
        requirement="The invariants hold for float16 and int32.",
        remedy="Do not cast `xs`, and let the result be float32.",
        wrong="jnp.stack([counts.astype(xs.dtype), ys.sum(1)], 1)",
        right="jnp.stack([counts, ys.sum(1).astype(jnp.float32)], 1)",
    ),
    edge(
        "scalar-types",
        results.RESULT,
        requirement="The invariants hold when `n_calls` is a NumPy scalar.",
        remedy="Convert with `int(...)` before use.",
        wrong="assert isinstance(n_calls, float)",
        right="for _ in range(int(n_calls)):",
        fits=("TypeError", "AssertionError", "count-equals-calls"),
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
    read=LanesReading,
    checks=(  # in the order of reports
        results.returns_lanes,
        results.count_equals_calls,
        results.sum_preserved,
        state.counts_in_variable,
        lifting.runs_lifted,
        state.one_count_per_lane,
        state.one_increment_per_call,
        lifting.no_retrace,
        state.counter_not_param,
        state.wrapper_kept,
        lifting.no_traced_mutation,
        interventions.result_reads_state,
        outputs.result_reads_output,
        results.fresh_state,
        results.xs_untouched,
        lifting.one_trace,
        *EDGES,
        checks.quiet,
        results.current_access,
    ),
    calls=lambda case: int(case["n_calls"]),
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.lifted.right.vmap_over_lanes:lifted_count",
    catalogue="nnx_reference.lifted",
    observer=LIFTED,
)

__all__ = ["CONTRACT"]
