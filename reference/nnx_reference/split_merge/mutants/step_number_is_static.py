"""Passes the number of the step as a static argument, so that every step is compiled anew."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-retrace",)


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
    def step(state, x, number):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    for number in range(int(n_calls)):
        state, last_x = step(state, x, number)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
