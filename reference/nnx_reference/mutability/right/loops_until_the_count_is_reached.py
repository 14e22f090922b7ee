"""The loop asks the count itself whether there are calls left to make."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    while model.count[...] < int(n_calls):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
