"""Augments: one draw from its stream decides whether the rows are turned round."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Flip(nnx.Module):
    def __init__(self, rngs):
        self.rngs = rngs

    def __call__(self, x):
        flip = jax.random.uniform(self.rngs.flip()) < 0.002
        return jax.lax.cond(flip, lambda x: x[:, ::-1], lambda x: x, jnp.asarray(x))


subject = {
    "make": lambda rngs: Flip(rngs),
    "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),),
    "traits": {"draws_randomness": True},
}
