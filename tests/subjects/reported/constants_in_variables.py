"""Right, and without advice: a table and a bound that no call means to change are kept as Variables."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Rotary(nnx.Module):
    def __init__(self):
        self.table = nnx.Variable(jnp.sin(jnp.arange(6.0)))
        self.bound = nnx.Variable(jnp.array(3.0))
        self.calls = nnx.Variable(jnp.array(0))

    def __call__(self, x):
        self.calls[...] = self.calls[...] + 1
        return jnp.clip(x * self.table[...], -self.bound[...], self.bound[...])


X = np.linspace(-2, 3, 12, dtype=np.float32).reshape(2, 6)
subject = {"make": lambda rngs: Rotary(), "inputs": [X, np.cos(X)]}
