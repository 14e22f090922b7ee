"""Saves memory with `jax.checkpoint` around its normalisation, instead of `nnx.remat`: the statistics never move."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.11.2"


class Block(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        return jax.checkpoint(lambda norm, x: norm(x))(self.norm, self.dense(x))


subject = {
    "make": lambda rngs: Block(rngs),
    "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),),
    "traits": {"has_eval_mode": True},
}
