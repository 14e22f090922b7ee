"""Takes its scale from a list of six, step by step: the seventh call asks for a seventh."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("calls-return",)


class Warmup(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))
        self.step = 0

    def __call__(self, x):
        scale = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0][self.step]
        self.step += 1
        self.count.value = self.count.value + 1.0
        return x * scale


subject = {"make": lambda rngs: Warmup(), "inputs": [np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)]}
