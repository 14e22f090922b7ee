"""The first contract: `mutability_increment_count(seed, x, n_calls)` adds to a counter eagerly."""

from __future__ import annotations

from nnx_conformance.contracts import checks
from nnx_conformance.contracts.counter import advice, calls, edges, interventions, results, state, traces
from nnx_conformance.contracts.counter.domain import DOMAINS
from nnx_conformance.contracts.counter.reading import RETURNS, CounterReading, requested_calls
from nnx_conformance.contracts.counter.timeline import timeline
from nnx_conformance.contracts.reading import FRESH
from nnx_conformance.core.contract import Contract

fresh_state = checks.fresh_state(
    remedy="Build the Rngs and the model inside the function, and keep nothing at module or class level, in a default "
    "argument or in a cache.",
    wrong="model = Counter(nnx.Rngs(0))  # at module level",
    right="def mutability_increment_count(seed, x, n_calls):\n    model = Counter(nnx.Rngs(int(seed)))",
)
current_access = checks.current_access(
    remedy="Do what the warning says; for `.value`, from Flax 0.12 on: `self.count[...]`, or `get_value` and "
    "`set_value`.",
    wrong="self.count.value = self.count.value + 1.0  # deprecated from Flax 0.12 on",
    right="self.count[...] = self.count[...] + 1.0  # needs Flax 0.10.7",
)

CONTRACT = Contract(
    name="mutability",
    title="mutability_increment_count(seed, x, n_calls): a counter module, called eagerly, returns [n_calls, x.sum()].",
    version="1",
    entry="mutability_increment_count",
    parameters=("seed", "x", "n_calls"),
    domains=DOMAINS,
    read=CounterReading,
    checks=(  # in the order of reports
        results.returns_pair,
        results.count_equals_calls,
        results.sum_preserved,
        state.counts_in_variable,
        state.wrapper_kept,
        state.counter_not_param,
        calls.one_increment_per_call,
        calls.output_unchanged,
        traces.no_traced_mutation,
        interventions.result_reads_state,
        interventions.result_reads_output,
        fresh_state,
        results.x_untouched,
        advice.key_consumed,
        advice.one_variable_named_count,
        advice.no_in_place_add,
        advice.eager_calls,
        *edges.EDGES,
        checks.quiet,
        current_access,
    ),
    calls=requested_calls,
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.solution:mutability_increment_count",
    timeline=timeline,
    catalogue="nnx_reference.mutability",
)

__all__ = ["CONTRACT"]
