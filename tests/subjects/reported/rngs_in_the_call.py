"""Right: the randomness of a call is handed to it, as many Flax modules take it."""

import jax
import numpy as np
from flax import nnx


class Noisy(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(3, 4, rngs=rngs)

    def __call__(self, x, rngs):
        y = self.linear(x)
        return y + 0.1 * jax.random.normal(rngs.noise(), y.shape)


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": Noisy, "inputs": [(X, nnx.Rngs(0)), (np.cos(X), nnx.Rngs(1))]}
