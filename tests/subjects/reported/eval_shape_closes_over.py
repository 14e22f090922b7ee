"""Wrong: nnx.eval_shape of a function that closes over a stateful module, in the constructor."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Sized(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        width = nnx.eval_shape(lambda: self.norm(jnp.ones((2, 3)))).shape[-1]
        self.head = nnx.Linear(width, 2, rngs=rngs)

    def __call__(self, x):
        return self.head(self.norm(x))


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": Sized, "inputs": [X, np.cos(X)], "traits": {"has_eval_mode": True}}
