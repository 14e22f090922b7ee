"""Folds a count, and then the number of a branch, into a typed key: many keys of one, each used once."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Branches(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(rngs.params())
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        key = jax.random.fold_in(self.key.value, self.count.value)
        self.count.value = self.count.value + 1
        draws = [jax.random.normal(jax.random.fold_in(key, branch), x.shape) for branch in range(3)]
        return x + sum(draws)


subject = {
    "make": Branches,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)],
    "traits": {"draws_randomness": True},
}
