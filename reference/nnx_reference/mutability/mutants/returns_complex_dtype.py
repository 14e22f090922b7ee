"""Packs both numbers into a complex array."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = model(x)
    return jnp.array([model.count.value, output.sum()], dtype=jnp.complex64)
