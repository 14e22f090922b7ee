"""A reservoir: chance decides what is remembered of the inputs, and outputs know nothing of it."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Reservoir(nnx.Module):
    def __init__(self, size, features, rngs):
        self.dense = nnx.Linear(features, features, rngs=rngs)
        self.rows = nnx.Cache(jnp.zeros((size, features)))
        self.rngs = rngs

    def __call__(self, x):
        place = jax.random.randint(self.rngs.sample(), (), 0, len(self.rows.value))
        self.rows.value = self.rows.value.at[place].set(x[0])
        return self.dense(x)


subject = {
    "make": lambda rngs: Reservoir(4, 3, rngs),
    "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),),
    "traits": {"draws_randomness": True},
}
