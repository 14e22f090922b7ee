"""Ties its output layer to its input layer by holding one Param at two attributes, which tree mode refuses."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("tree-mode-ready",)
MIN_FLAX = "0.12.6"


class Tied(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.Linear(4, 4, use_bias=False, rngs=rngs)
        self.kernel = self.body.kernel
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.calls[...] = self.calls[...] + 1.0
        return jnp.sin(self.body(x)) @ self.kernel[...].T


X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
subject = {"make": Tied, "inputs": [X, np.cos(X)]}
