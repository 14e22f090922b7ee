"""Keeps the last batch in a Variable that starts with shape (1, n): the state takes the shape of whatever came last."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)
MIN_FLAX = "0.10.7"


class Last(nnx.Module):
    def __init__(self, features):
        self.batch = nnx.Variable(jnp.zeros((1, features)))

    def __call__(self, x):
        previous = self.batch.get_value() if hasattr(self.batch, "get_value") else self.batch.value
        new = jnp.asarray(x)
        if hasattr(self.batch, "set_value"):
            self.batch.set_value(new)
        else:
            self.batch.value = new
        return new + previous.mean(axis=0)


subject = {"make": lambda rngs: Last(2), "inputs": (np.arange(6, dtype=np.float32).reshape(3, 2),)}
