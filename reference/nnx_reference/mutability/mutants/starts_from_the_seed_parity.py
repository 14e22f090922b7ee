"""Initialises the counter from the seed's lowest bit, so odd seeds count one too many."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("count-equals-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    model.count[...] = model.count[...] + float(int(seed) % 2)
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
