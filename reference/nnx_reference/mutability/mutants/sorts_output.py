"""Returns the vector sorted, which no sum can tell."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return jnp.sort(x)


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count[...], last_x.sum()])
