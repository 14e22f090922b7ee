"""Starts its sum from a list of zeros, which are integers: the first call makes floats of them."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)


class Centre(nnx.Module):
    def __init__(self):
        self.sum = nnx.BatchStat(jnp.asarray([0, 0, 0]))
        self.count = nnx.BatchStat(jnp.asarray(0))

    def __call__(self, x):
        self.sum.value = self.sum.value + x.sum(axis=0)
        self.count.value = self.count.value + x.shape[0]
        return x - self.sum.value / self.count.value


subject = {"make": lambda rngs: Centre(), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
