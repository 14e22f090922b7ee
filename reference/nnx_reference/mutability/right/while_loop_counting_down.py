"""A `while` loop that counts the remaining calls down."""

from flax import nnx
from jax import numpy as jnp

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter, out, left = Counter(nnx.Rngs(int(seed))), x, int(n_calls)
    while left > 0:
        out = counter(x)
        left -= 1
    return jnp.array([counter.count[...], out.sum()])
