"""Smooths its output over calls, and forgets that an evaluation must not move what training goes on from."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Smoothed(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(4, 3, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.Cache(jnp.zeros((3,)))

    def __call__(self, x):
        y = self.dropout(self.dense(x)).mean(axis=0)
        self.last.value = 0.5 * self.last.value + 0.5 * y
        return self.last.value


subject = {
    "make": lambda rngs: Smoothed(rngs),
    "inputs": (np.ones((2, 4), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
