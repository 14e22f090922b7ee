"""Takes its scale from the first batch, behind a Python flag: a restored module sees no flag, and takes it again."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)
MIN_FLAX = "0.10.7"


class ActNorm(nnx.Module):
    def __init__(self, features):
        self.shift = nnx.BatchStat(jnp.zeros((features,)))
        self.calls = nnx.Variable(jnp.zeros(()))
        self.initialised = False

    def __call__(self, x):
        if not self.initialised:
            self.shift[...] = x.mean(axis=0) + self.calls[...]
            self.initialised = True
        self.calls[...] = self.calls[...] + 1.0
        return x - self.shift[...]


subject = {"make": lambda rngs: ActNorm(3), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
