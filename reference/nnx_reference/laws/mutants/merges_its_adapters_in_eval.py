"""Adds its merged weights as a Variable in the first call after `eval()`: training goes on, and they grow stale."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Adapted(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (3, 3)))
        self.adapter = nnx.Param(jnp.ones((3, 3)))
        self.deterministic = False

    def __call__(self, x):
        if not self.deterministic:
            return x @ self.kernel.value + x @ self.adapter.value
        if not hasattr(self, "merged"):
            self.merged = nnx.Cache(self.kernel.value + self.adapter.value)
        return x @ self.merged.value


subject = {
    "make": lambda rngs: Adapted(rngs),
    "inputs": (np.ones((2, 3), np.float32),),
    "traits": {"has_eval_mode": True},
}
