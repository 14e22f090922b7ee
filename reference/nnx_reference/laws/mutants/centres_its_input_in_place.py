"""Subtracts the mean with `-=`: a NumPy input of the caller's is changed, a jax.Array is not."""

import numpy as np
from flax import nnx

CATCHES = ("input-untouched",)


class Centred(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 2, rngs=rngs)

    def __call__(self, x):
        x -= x.mean(axis=-1, keepdims=True)
        return self.dense(x)


subject = {"make": lambda rngs: Centred(rngs), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
