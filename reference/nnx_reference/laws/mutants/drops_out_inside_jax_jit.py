"""Runs its dropout in a `jax.jit` of its own: the stream's count is advanced on a copy, so every mask is the same."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)
MIN_FLAX = "0.11.2"


@jax.jit
def dropped(dropout, x):
    return dropout(x)


class Fast(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(16, 16, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return dropped(self.dropout, self.dense(x))


subject = {
    "make": lambda rngs: Fast(rngs),
    "inputs": (np.ones((4, 16), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
