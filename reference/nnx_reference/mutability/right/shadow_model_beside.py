"""Calls a second model along with the one that it reads."""

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
    shadow = Counter(nnx.Rngs(int(seed)))
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        shadow(x)
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
