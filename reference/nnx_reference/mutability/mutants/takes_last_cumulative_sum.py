"""Takes the last cumulative sum, and an empty vector has none."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("empty-x",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count[...], np.cumsum(np.asarray(last_x))[-1]])
