"""Hands back the last state beside the two numbers, as functional code does: a tuple and no array."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    model = nnx.merge(graphdef, state)
    return jnp.array([model.count.value, last_x.sum()]), state
