"""Scales its noise by whole hundreds of calls: there is none in the first hundred, and then always the same."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)


class Jitter(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(jax.random.key_data(rngs.noise()))
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        key = jax.random.wrap_key_data(self.key.value)
        return x + (self.calls.value // 100) * jax.random.normal(key, x.shape)


subject = {
    "make": Jitter,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)],
    "traits": {"draws_randomness": True},
}
