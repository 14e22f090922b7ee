"""The default of an argument is a Variable, made once when Python reads the class: all instances count in it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-independent",)


class Counted(nnx.Module):
    def __init__(self, count=nnx.Variable(jnp.zeros(()))):
        self.count = count

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x * self.count.value


subject = {"make": lambda rngs: Counted(), "inputs": (np.ones((2,), np.float32),)}
