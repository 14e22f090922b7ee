"""The running mean gets its shape from the scale by `empty_like`, and its first value from whatever was there."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("start-defined",)


class Centre(nnx.Module):
    def __init__(self, size):
        self.scale = nnx.Param(jnp.ones((size,)))
        self.mean = nnx.BatchStat(jnp.empty_like(self.scale.value))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return (x - self.mean.value) * self.scale.value


subject = {"make": lambda rngs: Centre(3), "inputs": [np.linspace(-2, 1, 6, dtype=np.float32).reshape(2, 3)]}
