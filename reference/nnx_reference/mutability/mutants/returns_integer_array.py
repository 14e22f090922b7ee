"""Casts the result to int32 because the first entry is a count."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x: jax.Array, n_calls: float):
    counter = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = counter(x)
    return jnp.array([counter.count.value, output.sum()], dtype=jnp.int32)
