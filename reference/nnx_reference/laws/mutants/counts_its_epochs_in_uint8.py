"""Counts an epoch at every other call, in uint8: after 510 calls it starts over."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Epochs(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))
        self.epoch = nnx.Variable(jnp.zeros((), jnp.uint8))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        self.epoch.value = self.epoch.value + (self.calls.value % 2).astype(jnp.uint8)
        return x / (1 + self.epoch.value.astype(jnp.float32))


subject = {"make": lambda rngs: Epochs(), "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
