"""The functional form of the first exercise: `nnx.split` and `nnx.merge` carry the state through plain `jax.jit`."""

from __future__ import annotations

from nnx_conformance.contracts import checks, compiled
from nnx_conformance.contracts.counter import advice, calls, edges, interventions, results, state, threading, traces
from nnx_conformance.contracts.counter.domain import DOMAINS
from nnx_conformance.contracts.counter.mutability import current_access
from nnx_conformance.contracts.counter.reading import RETURNS, CounterReading, requested_calls
from nnx_conformance.contracts.counter.threading import IN_JIT, THREADED
from nnx_conformance.contracts.counter.timeline import timeline
from nnx_conformance.contracts.reading import FRESH
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.observer import COMPILED_FUNCTIONS

STEP = "@jax.jit\ndef step(state, x):\n    model = nnx.merge(graphdef, state)\n    out = model(x)\n    "

#: In the order of reports.
CHECKS = (
    results.returns_pair,
    results.count_equals_calls.reworded(
        remedy="Make `int(n_calls)` steps, thread the state through all of them, and read the count from the last "
        "state.",
        wrong="for _ in range(1, int(n_calls)):\n    state, last_x = step(state, x)",
        right="for _ in range(int(n_calls)):\n    state, last_x = step(state, x)",
        because=(THREADED,),
    ),
    results.sum_preserved.reworded(
        remedy="Return the sum of the output of the last step, in float32, with nothing dropped, scaled or cast.",
        wrong="return jnp.array([model.count.value, last_x.mean()])",
        right="return jnp.array([model.count.value, last_x.sum()])",
    ),
    threading.state_threaded,
    threading.runs_in_jax_jit,
    compiled.no_retrace(
        threading.compiled_step,
        remedy="Make the compiled function once, outside the loop, and pass it nothing static that changes from step "
        "to step: no step number, no graph definition with a Python number in it.",
        wrong="for _ in range(int(n_calls)):\n    state, out = jax.jit(lambda s, x: step(s, x))(state, x)",
        right="step = jax.jit(step)\nfor _ in range(int(n_calls)):\n    state, out = step(state, x)",
    ),
    state.counts_in_variable,
    state.wrapper_kept.reworded(
        remedy="Write to the contents, `self.count.value = self.count.value + 1.0`: what `nnx.split` finds elsewhere "
        "is threaded as a bare array.",
        wrong="self.count = self.count + 1.0",
        right="self.count.value = self.count.value + 1.0",
    ),
    state.counter_not_param,
    calls.one_increment_per_call.reworded(
        remedy="Call the merged model once in the step, make `int(n_calls)` steps, and add to the count in `__call__` "
        "only.",
        wrong=STEP + "model.count.value += 1.0  # outside `__call__`\n    return nnx.state(model), out",
        right=STEP + "return nnx.state(model), out",
        because=(THREADED, IN_JIT),
    ),
    calls.output_unchanged,
    traces.no_traced_mutation.reworded(
        remedy="Give the compiled step the state, not the model: `graphdef, state = nnx.split(model)`, merge inside, "
        "and return the new state.",
        wrong="step = jax.jit(lambda x: model(x))",
        right=STEP + "return nnx.state(model), out",
        because=(THREADED,),
    ),
    interventions.result_reads_state.reworded(
        remedy="Read the count from the last state, `nnx.merge(graphdef, state).count.value`, not from a number beside "
        "it.",
        wrong="return jnp.array([n_calls, last_x.sum()])",
        right="return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])",
    ),
    interventions.result_reads_output.reworded(
        remedy="Keep the output of the last step, `state, last_x = step(state, x)`, and return `last_x.sum()`.",
        wrong="return jnp.array([count, x.sum()])",
        right="return jnp.array([count, last_x.sum()])",
    ),
    checks.fresh_state(
        remedy="Build and split the model inside the function. The compiled step may live at module level; a state may "
        "not.",
        wrong="graphdef, state = nnx.split(Counter(nnx.Rngs(0)))  # at module level",
        right="def functional_count(seed, x, n_calls):\n    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))",
    ),
    results.x_untouched.reworded(
        remedy="Donate the state if you like (`donate_argnums=0`), and not `x`.",
        wrong="@partial(jax.jit, donate_argnums=1)\ndef step(state, x): ...",
        right="@partial(jax.jit, donate_argnums=0)\ndef step(state, x): ...",
    ),
    compiled.one_trace(
        threading.compiled_step,
        wrong="self.count.value = self.count.value + jnp.float32(1.0)  # weak float32 becomes strong",
    ),
    advice.key_consumed,
    advice.one_variable_named_count,
    *edges.EDGES,
    checks.quiet,
    current_access,
)

CONTRACT = Contract(
    name="split-merge",
    title="functional_count(seed, x, n_calls): a counter whose state goes through plain jax.jit, split and merged; "
    "returns [n_calls, x.sum()].",
    version="1",
    entry="functional_count",
    parameters=("seed", "x", "n_calls"),
    domains=DOMAINS,
    read=CounterReading,
    checks=CHECKS,
    calls=requested_calls,
    fallback=RETURNS,
    history=FRESH,
    control="nnx_reference.split_merge.right.merges_after_the_loop:functional_count",
    timeline=timeline,
    catalogue="nnx_reference.split_merge",
    observer=COMPILED_FUNCTIONS,
)

__all__ = ["CONTRACT"]
