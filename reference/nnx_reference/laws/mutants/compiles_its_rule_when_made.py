"""Compiles a lambda when it is made, and keeps that: `pickle` takes neither."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("pickles", "instances-share-compilation")
MIN_FLAX = "0.10.7"


class Norm(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.rule = jax.jit(lambda mean, x: 0.9 * mean + 0.1 * x.mean(0))

    def __call__(self, x):
        self.mean.value = self.rule(self.mean.value, x)
        return x - self.mean.value


subject = {"make": lambda rngs: Norm(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
