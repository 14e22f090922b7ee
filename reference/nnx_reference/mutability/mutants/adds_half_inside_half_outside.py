"""Each call adds a half and the loop adds the other half."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 0.5
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = model(x)
        model.count[...] = model.count[...] + 0.5
    return jnp.array([model.count[...], y.sum()])
