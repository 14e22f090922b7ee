"""Holds its options in an object of a plain class, which is equal to itself alone: each instance compiles anew."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-share-compilation",)


class Options:
    def __init__(self, momentum):
        self.momentum = momentum


class Mean(nnx.Module):
    def __init__(self):
        self.options = Options(0.9)
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        kept = self.options.momentum
        self.mean.value = kept * self.mean.value + (1 - kept) * x.mean(0)
        return x - self.mean.value


subject = {"make": lambda rngs: Mean(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
