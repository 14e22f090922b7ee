"""Counts its runs in a global and returns one too many in every second run."""

import itertools

from flax import nnx
from jax import numpy as jnp

CATCHES = ("fresh-state-per-run",)

RUNS = itertools.count()


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    extra = float(next(RUNS) % 2)
    return jnp.array([model.count.value + extra, last_x.sum()])
