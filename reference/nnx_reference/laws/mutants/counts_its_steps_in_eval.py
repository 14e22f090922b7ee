"""Warms up over its first calls and counts them, those in eval mode too: a validation run ends the warm-up."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Warmup(nnx.Module):
    def __init__(self, rngs):
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.steps = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.steps.value = self.steps.value + 1.0
        return self.dropout(x) * jnp.minimum(1.0, self.steps.value / 100.0)


subject = {
    "make": lambda rngs: Warmup(rngs),
    "inputs": (np.ones((4, 8), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
