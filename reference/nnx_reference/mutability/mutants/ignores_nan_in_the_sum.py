"""Sums with `jnp.nansum`, which skips NaN."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("non-finite-x",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.array([model.count[...], jnp.nansum(out)])
