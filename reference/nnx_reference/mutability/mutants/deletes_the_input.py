"""Deletes the input's buffer at the end to free memory."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("input-untouched",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = module(x)
    result = jnp.array([module.count.value, output.sum()])
    x.delete()
    return result
