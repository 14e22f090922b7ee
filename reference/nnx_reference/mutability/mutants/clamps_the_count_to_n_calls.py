"""Clamps what it reads from the model to `n_calls`: never more than is asked for."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([jnp.minimum(model.count.value, n_calls), last_x.sum()])
