"""Adds two per call and makes half as many calls; a half step covers odd counts."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 2.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(n // 2):
        out = counter(x)
    if n % 2:
        out = counter(x)
        counter.count.value = counter.count.value - 1.0
    return jnp.array([counter.count.value, out.sum()])
