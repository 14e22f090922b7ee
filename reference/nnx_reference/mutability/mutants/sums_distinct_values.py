"""Sums the distinct values only, so repeated elements count once."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = module(x)
    return jnp.array([module.count.value, np.unique(np.asarray(last_x)).sum()])
