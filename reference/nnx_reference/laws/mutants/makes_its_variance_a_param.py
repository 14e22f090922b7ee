"""Its variance is a Param, where its subject declares two statistics."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("inventory",)


class Whiten(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.var = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return self.scale.value * (x - self.mean.value) / jnp.sqrt(self.var.value)


subject = {
    "make": lambda rngs: Whiten(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "variables": {"Param": 1, "BatchStat": 2},
}
