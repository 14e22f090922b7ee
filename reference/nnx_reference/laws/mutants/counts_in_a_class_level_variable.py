"""The Variable is an attribute of the class: one for all instances, and NNX sees it in none of them."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-independent",)
MIN_FLAX = "0.10.7"


class Counted(nnx.Module):
    total = nnx.Variable(jnp.zeros(()))

    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        self.total[...] = self.total[...] + 1.0
        return self.dense(x)


subject = {"make": lambda rngs: Counted(rngs), "inputs": (np.ones((1, 2), np.float32),)}
