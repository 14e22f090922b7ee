"""Keeps the first sum that it computed for each shape."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


_last = {}


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        y = model(x)
    s = _last.setdefault(x.shape, y.sum())
    return jnp.array([model.count[...], s])
