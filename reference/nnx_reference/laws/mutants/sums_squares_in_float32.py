"""Adds a square a call to a float32 sum, for fifty million calls: after some twenty million, nothing is added."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Energy(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.total.value = self.total.value + jnp.mean(x * x)
        return x


subject = {
    "make": lambda rngs: Energy(),
    "inputs": (np.linspace(-1.0, 1.0, 12, dtype=np.float32),),
    "horizon": 50_000_000,
}
