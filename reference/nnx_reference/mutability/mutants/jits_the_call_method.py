"""Decorates `__call__` with plain `jax.jit`, which loses the new count from Flax 0.11 on."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.11"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    @jax.jit
    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = counter(x)
    return jnp.array([counter.count[...], y.sum()])
