"""The count starts as int32 and grows by a float step: the first call makes it a float32, and jit compiles again."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)


class Steps(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.array(0, jnp.int32))

    def __call__(self, x):
        self.count.value = self.count.value + 0.5
        return x + self.count.value


subject = {"make": lambda rngs: Steps(), "inputs": (np.zeros((3,), np.float32),)}
