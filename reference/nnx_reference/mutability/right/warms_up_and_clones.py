"""Warms one model up, and counts with the clone of a new one."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    warm = Counter(nnx.Rngs(int(seed)))
    warm(x)
    model = nnx.clone(Counter(nnx.Rngs(int(seed))))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
