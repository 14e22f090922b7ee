"""Five levels of modules, and the state at the bottom."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Nested(nnx.Module):
    def __init__(self, depth):
        self.inner = Nested(depth - 1) if depth else None
        self.count = nnx.Variable(jnp.array(depth, jnp.int32))

    def __call__(self, x):
        self.count.value = self.count.value + 1
        return x if self.inner is None else self.inner(x) + self.count.value


subject = {"make": lambda rngs: Nested(5), "inputs": (np.zeros((2,), np.float32),)}
