"""Casts its norm to bfloat16 with `jax.tree.map` for each call: the copy keeps the statistics."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.11"


class Half(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        norm = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), self.norm)
        return norm(x.astype(jnp.bfloat16)).astype(x.dtype)


subject = {
    "make": Half,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)],
    "traits": {"has_eval_mode": True},
}
