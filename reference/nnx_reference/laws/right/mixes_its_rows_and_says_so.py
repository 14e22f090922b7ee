"""Attends over its rows, which are the places of one sequence, and declares that they mix."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Attend(nnx.Module):
    def __init__(self, rngs):
        self.query = nnx.Linear(3, 3, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        scores = self.query(x) @ x.T
        return self.drop(jnp.exp(scores) / jnp.exp(scores).sum(-1, keepdims=True) @ x)


subject = {
    "make": Attend,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"draws_randomness": True, "has_eval_mode": True, "mixes_rows": True},
}
