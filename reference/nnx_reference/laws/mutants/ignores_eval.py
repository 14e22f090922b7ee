"""Dropout of its own with a switch that `.eval()` does not know: it goes on dropping."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Drop(nnx.Module):
    def __init__(self, rngs):
        self.enabled = True
        self.rngs = rngs

    def __call__(self, x):
        if not self.enabled:
            return x
        return jnp.where(jax.random.bernoulli(self.rngs.dropout(), 0.5, x.shape), 2 * x, 0.0)


subject = {
    "make": lambda rngs: Drop(nnx.Rngs(dropout=rngs.params())),
    "inputs": (np.ones((4, 8), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
