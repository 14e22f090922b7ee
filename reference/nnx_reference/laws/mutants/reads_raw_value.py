"""Writes with `[...]` and reads `.raw_value`, which Flax deprecates from 0.12.1 on."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Mean(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        self.mean[...] = 0.5 * self.mean.raw_value + 0.5 * x.mean()
        return x - self.mean.raw_value


subject = {"make": lambda rngs: Mean(), "inputs": (np.arange(4, dtype=np.float32),)}
