"""The base class has the state and the writing; the subclass only the output."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Counting(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))

    def tick(self):
        self.count[...] = self.count[...] + 1
        return self.count[...]


class Decay(Counting):
    def __call__(self, x):
        return x / self.tick()


subject = {"make": lambda rngs: Decay(), "inputs": (np.ones((2,), np.float32),)}
