"""Logs its calls in a list in the body of its class, which is one list for all instances, and divides by its length."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-independent",)


class Logged(nnx.Module):
    log = []

    def __init__(self):
        self.scale = nnx.Param(jnp.ones(3))

    def __call__(self, x):
        self.log.append(1)
        return x * self.scale.value / len(self.log)


subject = {"make": lambda rngs: Logged(), "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
