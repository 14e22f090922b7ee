"""Calls a new clone of the model each time, so that the model itself never counts."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls", "one-increment-per-call", "result-reads-state")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = nnx.clone(model)(x)
    return jnp.array([model.count.value, last_x.sum()])
