"""Dropout from a stream of its own name, in eval mode without effect."""

import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Block(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(4, 8, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rng_collection="masks", rngs=rngs)

    def __call__(self, x):
        return self.dropout(self.dense(x))


subject = {
    "make": lambda rngs: Block(rngs),
    "inputs": (np.ones((3, 4), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
