"""Drops out in training, and its subject declares no eval mode."""

import numpy as np
from flax import nnx

CATCHES = ("eval-declared",)


class Dropping(nnx.Module):
    def __init__(self, rngs):
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.drop(x)


subject = {
    "make": Dropping,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"draws_randomness": True},
}
