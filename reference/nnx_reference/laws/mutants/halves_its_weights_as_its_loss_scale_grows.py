"""Doubles its loss scale after two thousand good calls, and halves its weights to match: a Param is written."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("params-untouched",)
MIN_FLAX = "0.10.7"


class Scaled(nnx.Module):
    def __init__(self, rngs):
        self.weight = nnx.Param(jax.random.normal(rngs.params(), (3,)))
        self.scale = nnx.Variable(jnp.ones(()))
        self.good = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.good.value = self.good.value + 1
        grow = self.good.value >= 2000
        self.good.value = jnp.where(grow, 0, self.good.value)
        self.scale.value = jnp.where(grow, 2 * self.scale.value, self.scale.value)
        self.weight.value = jnp.where(grow, self.weight.value / 2, self.weight.value)
        return x * self.weight.value * self.scale.value


subject = {"make": Scaled, "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
