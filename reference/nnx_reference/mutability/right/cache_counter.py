"""Keeps the count as a Cache of explicit dtype."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Cache(jnp.zeros((), dtype=jnp.float32))

    def __call__(self, x):
        self.count[...] = self.count[...] + jnp.float32(1)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()], dtype=jnp.float32)
