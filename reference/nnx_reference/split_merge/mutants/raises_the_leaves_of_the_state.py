"""The step raises every leaf of the state by 1, and calls no model at all."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable", "one-increment-per-call")


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
        return jax.tree_util.tree_map(lambda leaf: leaf + 1.0, state), x

    y = x
    for _ in range(int(n_calls)):
        state, y = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, y.sum()])
