"""Raises TypeError when an argument is not a Python float, so JAX scalars are refused."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("scalar-types",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    if not isinstance(n_calls, float) or not isinstance(seed, float):
        raise TypeError("seed and n_calls must be floats")
    module = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = module(x)
    return jnp.array([module.count.value, y.sum()])
