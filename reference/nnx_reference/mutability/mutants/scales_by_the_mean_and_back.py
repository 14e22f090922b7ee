"""Divides by the mean and multiplies by it again; where the mean is zero, the sum is no number."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    mean = last_x.mean()
    return jnp.array([model.count.value, (last_x / mean).sum() * mean])
