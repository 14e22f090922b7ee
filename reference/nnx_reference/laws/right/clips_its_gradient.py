"""Its gradient is clipped by a rule of its own: JAX has no forward mode for that, and needs none."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


@jax.custom_vjp
def clipped(x):
    return x


clipped.defvjp(lambda x: (x, None), lambda _, gradient: (jnp.clip(gradient, -0.1, 0.1),))


class Gentle(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.largest = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        self.largest.value = jnp.maximum(self.largest.value, jnp.abs(x).max())
        return clipped(self.dense(x))


subject = {"make": Gentle, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
