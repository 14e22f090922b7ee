"""Whether it has ever seen a negative number, as a bool."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Seen(nnx.Module):
    def __init__(self):
        self.negative = nnx.Variable(jnp.array(False))

    def __call__(self, x):
        self.negative.value = self.negative.value | (x < 0).any()
        return jnp.where(self.negative.value, -x, x)


subject = {"make": lambda rngs: Seen(), "inputs": (np.array([1.0, -2.0], np.float32),)}
