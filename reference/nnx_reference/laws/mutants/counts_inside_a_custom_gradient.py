"""A custom gradient whose forward rule counts in a Variable of the module: grad raises TraceContextError."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)
MIN_FLAX = "0.10.7"


class Clipped(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.backward_passes = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        @jax.custom_vjp
        def identity(y):
            return y

        def forward(y):
            self.backward_passes[...] = self.backward_passes[...] + 1.0
            return y, None

        def backward(_, g):
            return (jnp.clip(g, -1.0, 1.0),)

        identity.defvjp(forward, backward)
        return identity(self.dense(x))


subject = {"make": lambda rngs: Clipped(rngs), "inputs": (np.ones((1, 2), np.float32),)}
