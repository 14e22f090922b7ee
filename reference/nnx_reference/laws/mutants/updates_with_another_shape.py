"""Feeds `nnx.update` a state of another shape, which it takes without a word: a mean of columns becomes one of rows."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)
MIN_FLAX = "0.11.2"


class Mean(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        nnx.update(self, nnx.State({"mean": nnx.BatchStat(x.mean(axis=1))}))
        return x - self.mean[...].mean()


subject = {"make": lambda rngs: Mean(), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
