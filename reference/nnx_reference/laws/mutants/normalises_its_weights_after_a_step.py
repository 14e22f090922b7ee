"""Brings its columns back to length one in each call; they start so, and it shows after an optimiser's step only."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("optimizer-safe",)


class Cosine(nnx.Module):
    def __init__(self):
        self.kernel = nnx.Param(jnp.eye(4)[:, :2])

    def __call__(self, x):
        kernel = self.kernel.value
        length = jnp.linalg.norm(jax.lax.stop_gradient(kernel), axis=0, keepdims=True)
        self.kernel.value = kernel / length
        return x @ self.kernel.value


subject = {"make": lambda rngs: Cosine(), "inputs": (np.arange(8, dtype=np.float32).reshape(2, 4),)}
