"""Writes its count back through `nnx.update` under a misspelt name: NNX adds that attribute, and the count stays 0."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-moves",)
MIN_FLAX = "0.11.2"


class Counter(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        nnx.update(self, nnx.State({"cuont": nnx.Variable(self.count[...] + 1.0)}))
        return x


subject = {"make": lambda rngs: Counter(), "inputs": (np.ones((2,), np.float32),)}
