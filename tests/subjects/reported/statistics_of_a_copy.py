"""Wrong: the statistics move in a merged copy and are not handed back."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Wrapped(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        graphdef, state = nnx.split(self.body)
        return nnx.merge(graphdef, jax.tree.map(jnp.copy, state))(x)


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": Wrapped, "inputs": [X, np.cos(X)], "traits": {"has_eval_mode": True}}
