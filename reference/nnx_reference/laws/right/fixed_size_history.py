"""Keeps the last four means, in an array of four that is rolled."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class History(nnx.Module):
    def __init__(self):
        self.means = nnx.Variable(jnp.zeros((4,)))

    def __call__(self, x):
        self.means[...] = jnp.roll(self.means[...], 1).at[0].set(x.mean())
        return x - self.means[...].mean()


subject = {"make": lambda rngs: History(), "inputs": (np.array([1.0, 2.0], np.float32),)}
