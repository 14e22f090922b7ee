"""Carries itself through `jax.lax.scan` and throws the returned module away, which alone holds the count."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.11.2"


class Recurrent(nnx.Module):
    def __init__(self):
        self.steps = nnx.Variable(jnp.zeros(()))

    def step(self, x):
        self.steps[...] = self.steps[...] + 1.0
        return x * 0.5

    def __call__(self, x):
        def body(module, row):
            return module, module.step(row)

        _, y = jax.lax.scan(body, self, jnp.asarray(x))
        return y


subject = {"make": lambda rngs: Recurrent(), "inputs": (np.ones((3, 2), np.float32),)}
