"""Writes its result to standard error."""

import sys

import jax.numpy as jnp
from flax import nnx

CATCHES = ("quiet",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    print("done after", int(n_calls), "calls", file=sys.stderr)
    return jnp.array([model.count[...], out.sum()])
