"""Takes a lambda for its activation: another one in each instance, so that each compiles anew."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-share-compilation",)


class Layer(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (3, 3)))
        self.activation = lambda x: x * jax.nn.sigmoid(x)
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return self.activation(x @ self.kernel.value)


subject = {"make": Layer, "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
