"""Keeps an old-style key in a Variable of no random kind, never changes it, and folds its step in to draw."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(jax.random.key_data(rngs.noise()))
        self.step = nnx.Variable(jnp.zeros((), jnp.uint32))

    def __call__(self, x):
        key = jax.random.fold_in(jax.random.wrap_key_data(self.key[...]), self.step[...])
        self.step[...] = self.step[...] + jnp.uint32(1)
        return x + jax.random.normal(key, x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.ones((5,), np.float32),),
    "traits": {"draws_randomness": True},
}
