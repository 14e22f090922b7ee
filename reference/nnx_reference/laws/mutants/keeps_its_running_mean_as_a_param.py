"""Batch normalisation whose running mean is an nnx.Param: calls write it, and the optimiser decays it as well."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("params-untouched", "optimizer-safe")


class Norm(nnx.Module):
    def __init__(self, features):
        self.scale = nnx.Param(jnp.ones((features,)))
        self.mean = nnx.Param(jnp.zeros((features,)))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(axis=0)
        return self.scale.value * (x - self.mean.value)


subject = {"make": lambda rngs: Norm(3), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3) + 1,)}
