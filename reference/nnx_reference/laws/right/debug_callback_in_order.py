"""Reports its count through an ordered `jax.debug.callback`, which every transform takes and nothing depends on."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.12.0"


class Chatty(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        jax.debug.callback(lambda count: None, self.count[...], ordered=True)
        return self.dense(x)


subject = {"make": lambda rngs: Chatty(rngs), "inputs": (np.ones((1, 2), np.float32),)}
