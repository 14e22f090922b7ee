"""Adds no noise in its first hundred calls, and then another in each, from a key that it folds its count into."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Late(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(rngs.params())
        self.steps = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.steps.value = self.steps.value + 1
        scale = jnp.where(self.steps.value > 100, 0.1, 0.0)
        return x + scale * jax.random.normal(jax.random.fold_in(self.key.value, self.steps.value), x.shape)


subject = {
    "make": Late,
    "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)],
    "traits": {"draws_randomness": True},
}
