"""Uses `.raw_value`, which Flax deprecates from 0.12.1 on."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.raw_value = self.count.raw_value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([counter.count[...], out.sum()])
