"""Computes in float32 and stores in float16 at every second call, so no scan can carry it: its type alternates."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("scan-agrees", "structure-stable")


class Thrifty(nnx.Module):
    def __init__(self):
        self.small = nnx.Variable(jnp.zeros((2,), jnp.float32))

    def __call__(self, x):
        old = self.small.value
        new = 0.5 * old.astype(jnp.float32) + 0.5 * x
        self.small.value = new.astype(jnp.float16 if old.dtype == jnp.float32 else jnp.float32)
        return x - new


subject = {"make": lambda rngs: Thrifty(), "inputs": (np.array([1.0, 2.0], np.float32),)}
