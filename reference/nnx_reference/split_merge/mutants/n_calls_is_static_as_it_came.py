"""The number of calls is a static argument of the compiled loop, just as it came; a JAX scalar cannot be one."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("scalar-types",)
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

    @partial(jax.jit, static_argnums=2)
    def run(state, x, n_calls):
        def body(_, carried):
            inner = nnx.merge(graphdef, carried[0])
            out = inner(carried[1])
            return nnx.state(inner), out

        return jax.lax.fori_loop(0, int(n_calls), body, (state, x))

    state, last_x = run(state, x, n_calls)
    nnx.update(model, state)
    return jnp.array([model.count.value, last_x.sum()])
