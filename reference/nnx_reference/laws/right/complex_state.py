"""A phase on the unit circle, complex64, that each call turns a little further."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Phase(nnx.Module):
    def __init__(self):
        self.phase = nnx.Variable(jnp.ones((), jnp.complex64))

    def __call__(self, x):
        self.phase[...] = self.phase[...] * jnp.exp(jnp.complex64(0.25j))
        return x * self.phase[...].real


subject = {"make": lambda rngs: Phase(), "inputs": (np.ones((2,), np.float32),)}
