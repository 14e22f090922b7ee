"""State in a Variable class of its own, with metadata."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Potential(nnx.Variable):
    pass


class Leaky(nnx.Module):
    def __init__(self, features, decay=0.5):
        self.decay = decay
        self.potential = Potential(jnp.zeros((features,)), unit="mV")

    def __call__(self, x):
        self.potential[...] = self.decay * self.potential[...] + x
        return jnp.where(self.potential[...] > 1.0, 1.0, 0.0)


subject = {"make": lambda rngs: Leaky(4), "inputs": (np.array([0.25, 0.75, 1.5, -1.0], np.float32),)}
