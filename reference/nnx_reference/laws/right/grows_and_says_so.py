"""Sows in every call, as one that is inspected afterwards, and declares that it grows."""

import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Sown(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        self.sow(nnx.Intermediate, "activations", y)
        return y


subject = {
    "make": lambda rngs: Sown(rngs),
    "inputs": (np.ones((1, 2), np.float32),),
    "traits": {"grows": True},
}
