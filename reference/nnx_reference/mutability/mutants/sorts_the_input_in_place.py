"""Sorts the input's memory in place through a pointer, to add small terms first."""

import ctypes

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("input-untouched",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        model(x)
    address = ctypes.cast(x.unsafe_buffer_pointer(), ctypes.POINTER(ctypes.c_float))
    terms = np.ctypeslib.as_array(address, shape=x.shape)
    total = float(terms.sum())
    terms.sort()
    return jnp.array([model.count[...], total])
