"""Resets its total by `jnp.where`, where Python's `if` would not do."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Bounded(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros((), jnp.float32))

    def __call__(self, x):
        total = self.total.value + x.sum()
        self.total.value = jnp.where(total > 2.0, jnp.float32(0), total)
        return x + self.total.value


subject = {"make": lambda rngs: Bounded(), "inputs": (np.array([0.5, 0.25], np.float32),)}
