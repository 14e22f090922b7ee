"""Updates an nnx.metrics.Average of its outputs in every call and returns its present value."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Measured(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.average = nnx.metrics.Average()

    def __call__(self, x):
        y = self.dense(x)
        self.average.update(values=jnp.mean(y**2))
        return y, self.average.compute()


subject = {"make": lambda rngs: Measured(rngs), "inputs": (np.linspace(-1, 1, 4, dtype=np.float32).reshape(2, 2),)}
