"""Each instance draws its own gain once and keeps it as a Python float: restored elsewhere, it has another gain."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)
MIN_FLAX = "0.10.7"


class Gain(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.gain = float(jax.random.uniform(rngs.params(), minval=0.5, maxval=2.0))
        self.mean = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        self.mean[...] = 0.9 * self.mean[...] + 0.1 * x.mean()
        return self.gain * (x - self.mean[...])


subject = {"make": lambda rngs: Gain(rngs), "inputs": (np.arange(4, dtype=np.float32),)}
