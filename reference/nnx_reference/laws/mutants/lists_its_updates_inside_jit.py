"""Collects means in a list attribute in its own jitted step: under `nnx.jit` the list keeps a tracer."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)
MIN_FLAX = "0.12.6"


class Collecting(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.means = []

    def __call__(self, x):
        y = self.dense(x)
        if len(self.means) < 3:
            self.means.append(jnp.mean(y))
        return y


subject = {"make": lambda rngs: Collecting(rngs), "inputs": (np.ones((1, 2), np.float32),)}
