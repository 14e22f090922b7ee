"""Keeps its last dropout in a plain object, which `.eval()` does not enter: it goes on dropping."""

import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Extras:
    def __init__(self, drop):
        self.drop = drop


class Block(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.extras = Extras(nnx.Dropout(0.5, rngs=nnx.Rngs(dropout=rngs.params())))

    def __call__(self, x):
        return self.extras.drop(self.dropout(self.dense(x)))


subject = {
    "make": lambda rngs: Block(rngs),
    "inputs": (np.ones((8, 3), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
