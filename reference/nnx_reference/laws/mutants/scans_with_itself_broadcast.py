"""Scans over the rows with itself among `in_axes=None`: what the rows write is dropped without a word."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.10.7"


class Rows(nnx.Module):
    def __init__(self):
        self.seen = nnx.Variable(jnp.zeros(()))

    def row(self, x):
        self.seen[...] = self.seen[...] + 1.0
        return 2.0 * x

    def __call__(self, x):
        def step(module, carry, row):
            return carry, module.row(row)

        scanned = nnx.scan(step, in_axes=(None, nnx.Carry, 0), out_axes=(nnx.Carry, 0))
        return scanned(self, jnp.zeros(()), jnp.asarray(x))[1]


subject = {"make": lambda rngs: Rows(), "inputs": (np.ones((3, 2), np.float32),)}
