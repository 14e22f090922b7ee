"""Adds up in float16, which loses digits and overflows above 65,504."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("sum-preserved",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    total = y.astype(jnp.float16).sum().astype(jnp.float32)
    return jnp.array([model.count[...], total])
