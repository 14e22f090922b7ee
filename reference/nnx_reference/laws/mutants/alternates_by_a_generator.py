"""Takes its sign from a generator, of which each trace takes one more."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)


def signs():
    while True:
        yield 1.0
        yield -1.0


class Alternating(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones(3))
        self.signs = signs()

    def __call__(self, x):
        return next(self.signs) * x * self.scale.value


subject = {"make": lambda rngs: Alternating(), "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
