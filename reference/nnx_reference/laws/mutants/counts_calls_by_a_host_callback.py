"""Asks a host function for the number of the call by `io_callback`: the count is no state of the module."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.experimental import io_callback

CATCHES = ("no-hidden-state",)


class HostCounter:
    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return np.float32(self.count)


class Numbered(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.number = HostCounter()

    def __call__(self, x):
        number = io_callback(self.number, jax.ShapeDtypeStruct((), jnp.float32), ordered=True)
        return self.dense(x) * number


subject = {"make": lambda rngs: Numbered(rngs), "inputs": (np.ones((1, 2), np.float32),)}
