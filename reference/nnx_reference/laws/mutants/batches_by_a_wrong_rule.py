"""A custom batching rule, written for a batch of inputs with one state, that takes the first lane's state for all."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("vmap-agrees",)
MIN_FLAX = "0.10.7"


@jax.custom_batching.custom_vmap
def leak(state, x):
    return 0.5 * state + x


@leak.def_vmap
def _rule(axis_size, in_batched, state, x):
    first = state[:1] if in_batched[0] else state
    return 0.5 * first + x, True


class Leaky(nnx.Module):
    def __init__(self, rngs):
        self.potential = nnx.Variable(nnx.initializers.normal(1.0)(rngs.params(), (3,)))

    def __call__(self, x):
        self.potential[...] = leak(self.potential[...], jnp.asarray(x))
        return self.potential[...]


subject = {"make": lambda rngs: Leaky(rngs), "inputs": (np.arange(3, dtype=np.float32),)}
