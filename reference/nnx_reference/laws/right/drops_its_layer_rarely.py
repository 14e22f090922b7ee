"""Stochastic depth: one draw decides about the whole layer, and mostly it stays, so that calls are equal by chance."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class StochasticDepth(nnx.Module):
    def __init__(self, rate, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))
        self.key = nnx.Variable(rngs.depth())
        self.rate = rate

    def __call__(self, x):
        key = jax.random.fold_in(self.key.value, self.count.value)
        self.count.value = self.count.value + 1
        keep = jax.random.bernoulli(key, 1 - self.rate)
        return x + jnp.where(keep, self.dense(x), 0.0)


subject = {
    "make": lambda rngs: StochasticDepth(0.002, rngs),
    "inputs": (np.ones((2, 3), np.float32),),
    "traits": {"draws_randomness": True},
}
