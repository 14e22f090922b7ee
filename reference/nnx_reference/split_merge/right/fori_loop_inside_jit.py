"""A `fori_loop` inside the compiled function carries the state."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def run(state, x, n):
        def body(_, carried):
            inner = nnx.merge(graphdef, carried[0])
            out = inner(carried[1])
            return nnx.state(inner), out

        return jax.lax.fori_loop(0, n, body, (state, x))

    state, last_x = run(state, x, int(n_calls))
    nnx.update(model, state)
    return jnp.array([model.count.value, last_x.sum()])
