"""Bears a number that goes up with each instance, for logs that nobody reads: each compiles anew."""

import itertools

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-share-compilation",)
NUMBERS = itertools.count()


class Numbered(nnx.Module):
    def __init__(self):
        self.number = next(NUMBERS)
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return x - self.mean.value


subject = {"make": lambda rngs: Numbered(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
