"""Calls its child through a weak reference: a module that is put together again calls the old one."""

import weakref

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("pytree-agrees", "deepcopy-agrees")
MIN_FLAX = "0.11"


class Count(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.total[...] = self.total[...] + x.sum()
        return self.total[...]


class Weakly(nnx.Module):
    def __init__(self):
        self.child = Count()
        self.call = weakref.ref(self.child)

    def __call__(self, x):
        return x + self.call()(x)


subject = {"make": lambda rngs: Weakly(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
