"""Keeps a slow average in bfloat16: a hundredth of the way is below its resolution, so it stops far from the mean."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Slow(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.full((), 8.0, jnp.bfloat16))

    def __call__(self, x):
        step = 0.001 * (jnp.mean(x) - self.mean.value)
        self.mean.value = self.mean.value + step.astype(jnp.bfloat16)
        return x - self.mean.value.astype(jnp.float32)


subject = {"make": lambda rngs: Slow(), "inputs": (np.full((4,), 9.0, np.float32),)}
