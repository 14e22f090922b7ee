"""A fixed old-style key in one Variable and a count in another; each call folds the count in."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.RngKey(jax.random.key_data(rngs.noise()), tag="noise")
        self.count = nnx.RngCount(jnp.array(0, jnp.uint32), tag="noise")

    def __call__(self, x):
        key = jax.random.fold_in(self.key[...], self.count[...])
        self.count[...] = self.count[...] + 1
        return x * jax.random.uniform(key, x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.ones((5,), np.float32),),
    "traits": {"draws_randomness": True},
}
