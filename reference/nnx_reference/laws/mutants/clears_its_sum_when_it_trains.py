"""Clears its sum by a Python number whenever it is set to train: weakly typed, so that jit compiles anew."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)
MIN_FLAX = "0.10"


class Sum(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))
        self.deterministic = False

    def __call__(self, x):
        if not self.deterministic:
            self.total.value = self.total.value + x.sum()
        return x * self.total.value

    def train(self, **attributes):
        super().train(**attributes)
        self.total.value = jnp.asarray(0.0)


subject = {
    "make": lambda rngs: Sum(),
    "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)],
    "traits": {"has_eval_mode": True},
}
