"""Strides through vectors longer than sixteen elements to save time."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("sum-preserved",)
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
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    stride = 2 if y.shape[0] > 16 else 1
    return jnp.array([model.count[...], y[::stride].sum()])
