"""Counts in a Python int and copies it into the Variable, which only mirrors."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.calls = 0
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.calls += 1
        self.count.value = jnp.array(float(self.calls))
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = module(x)
    return jnp.array([module.count.value, output.sum()])
