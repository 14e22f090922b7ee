"""Takes the median by sorting in place where the input has a `sort` of that kind, as NumPy arrays have."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("input-untouched",)


class Clip(nnx.Module):
    def __init__(self):
        self.bound = nnx.Variable(jnp.ones(()))

    def __call__(self, x):
        if isinstance(x, np.ndarray):
            x.sort()
            middle = x[len(x) // 2]
        else:
            middle = jnp.sort(x)[len(x) // 2]
        self.bound.value = 0.5 * self.bound.value + 0.5 * middle
        return jnp.asarray(middle + self.bound.value)


subject = {"make": lambda rngs: Clip(), "inputs": (np.array([3.0, 1.0, 2.0], np.float32),)}
