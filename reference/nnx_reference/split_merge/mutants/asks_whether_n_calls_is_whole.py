"""Asks `n_calls.is_integer()`, which arrays of JAX do not have."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("scalar-types",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    if not n_calls.is_integer():
        raise ValueError(f"n_calls must be a whole number, not {n_calls}")
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
