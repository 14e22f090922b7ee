"""A forgotten `jax.debug.print(..., ordered=True)`: fine under jit, and refused by remat and by vmap."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("remat-agrees",)
MIN_FLAX = "0.10.7"


class Chatty(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        jax.debug.callback(lambda count: None, self.count[...], ordered=True)
        return self.dense(x)


subject = {"make": lambda rngs: Chatty(rngs), "inputs": (np.ones((1, 2), np.float32),)}
