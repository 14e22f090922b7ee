"""What this contract says of the checks that it shares with `mutability`."""

from __future__ import annotations

from nnx_conformance.contracts.derived import Words

THREADED = "state-threaded"
IN_JIT = "runs-in-jax-jit"

STEP = "@jax.jit\ndef step(state, x):\n    model = nnx.merge(graphdef, state)\n    out = model(x)\n    "

WORDS = {
    "returns-pair": Words(
        "Return one array of the two numbers, `jnp.array([model.count.value, last_x.sum()])`.",
        "return [model.count.value, last_x.sum()]",
        "return jnp.array([model.count.value, last_x.sum()])",
    ),
    "count-equals-calls": Words(
        "Make `int(n_calls)` steps, thread the state through all of them, and read the count from the last state.",
        "for _ in range(1, int(n_calls)):\n    state, last_x = step(state, x)",
        "for _ in range(int(n_calls)):\n    state, last_x = step(state, x)",
        follows=(THREADED,),
    ),
    "sum-preserved": Words(
        "Return the sum of the output of the last step, in float32, with nothing dropped, scaled or cast.",
        "return jnp.array([model.count.value, last_x.mean()])",
        "return jnp.array([model.count.value, last_x.sum()])",
    ),
    "one-increment-per-call": Words(
        "Call the merged model once in the step, make `int(n_calls)` steps, and raise the count in `__call__` alone.",
        STEP + "model.count.value += 1.0  # outside `__call__`\n    return nnx.state(model), out",
        STEP + "return nnx.state(model), out",
        follows=(THREADED, IN_JIT),
    ),
    "wrapper-kept": Words(
        "Write to the contents, `self.count.value = self.count.value + 1.0`: what `nnx.split` finds elsewhere is "
        "threaded as a bare array.",
        "self.count = self.count + 1.0",
        "self.count.value = self.count.value + 1.0",
    ),
    "no-traced-mutation": Words(
        "Give the compiled step the state, not the model: `graphdef, state = nnx.split(model)`, merge inside, and "
        "return the new state.",
        "step = jax.jit(lambda x: model(x))",
        STEP + "return nnx.state(model), out",
        follows=(THREADED,),
    ),
    "result-reads-state": Words(
        "Read the count from the last state, `nnx.merge(graphdef, state).count.value`, not from a number beside it.",
        "return jnp.array([n_calls, last_x.sum()])",
        "return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])",
    ),
    "result-reads-output": Words(
        "Keep the output of the last step, `state, last_x = step(state, x)`, and return `last_x.sum()`.",
        "return jnp.array([count, x.sum()])",
        "return jnp.array([count, last_x.sum()])",
    ),
    "fresh-state-per-run": Words(
        "Build and split the model inside the function. The compiled step may live at module level; a state may not.",
        "graphdef, state = nnx.split(Counter(nnx.Rngs(0)))  # at module level",
        "def functional_count(seed, x, n_calls):\n    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))",
    ),
    "input-untouched": Words(
        "Donate the state if you like (`donate_argnums=0`), and not `x`.",
        "@partial(jax.jit, donate_argnums=1)\ndef step(state, x): ...",
        "@partial(jax.jit, donate_argnums=0)\ndef step(state, x): ...",
    ),
}
