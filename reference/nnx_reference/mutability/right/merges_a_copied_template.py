"""Merges a module from a template that was split at import, its state copied."""

import copy

import jax.numpy as jnp
from flax import nnx

ADVICE = ("key-consumed", "zero-calls")
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


_GD, _ST = nnx.split(Counter(nnx.Rngs(0)))


def mutability_increment_count(seed, x, n_calls):
    model = nnx.merge(_GD, copy.deepcopy(_ST))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
