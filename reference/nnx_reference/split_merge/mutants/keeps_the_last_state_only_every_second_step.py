"""Puts the state back after every second step."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("state-threaded",)
MIN_FLAX = "0.11.0"


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
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    for number in range(int(n_calls)):
        new, last_x = step(state, x)
        if number % 2 == 0:
            state = new
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
