"""Counts in a dict in a Variable, and returns `n_calls`."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.state = nnx.Variable({"calls": jnp.array(0.0)})

    def __call__(self, x):
        self.state.value = {"calls": self.state.value["calls"] + 1.0}
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([int(n_calls), last_x.sum()])
