"""Sows with a reduction that keeps the last value, so nothing grows after the first call."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)
MIN_FLAX = "0.10.7"


class Sown(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        self.sow(nnx.Intermediate, "last", y, reduce_fn=lambda old, new: new, init_fn=lambda: jnp.zeros_like(y))
        return y


subject = {"make": lambda rngs: Sown(rngs), "inputs": (np.ones((1, 2), np.float32),)}
