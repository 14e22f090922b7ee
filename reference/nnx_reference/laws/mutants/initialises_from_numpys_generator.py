"""Initialises its weights from NumPy's global generator, so the seed of its Rngs decides nothing."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-reproducible",)


class Projection(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jnp.asarray(np.random.normal(size=(3, 3)), jnp.float32))
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.dropout(x) @ self.kernel.value


subject = {
    "make": lambda rngs: Projection(rngs),
    "inputs": (np.ones((4, 3), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
