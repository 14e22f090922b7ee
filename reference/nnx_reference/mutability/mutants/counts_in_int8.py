"""Counts in int8, which wraps around after 127 calls."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("many-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0, dtype=jnp.int8))

    def __call__(self, x):
        self.count.value = self.count.value + jnp.int8(1)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value.astype(jnp.float32), last_x.sum()])
