"""Counts in int32, but in a trace makes its count a float: what is restored is another module."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("abstract-agrees",)


class Counted(nnx.Module):
    def __init__(self, size, rngs):
        kernel = jax.random.normal(rngs.params(), (size, size))
        self.kernel = nnx.Param(kernel)
        traced = isinstance(kernel, jax.core.Tracer)
        self.calls = nnx.Variable(jnp.zeros((), jnp.float32 if traced else jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return x @ self.kernel.value


subject = {
    "make": lambda rngs: Counted(4, rngs),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)],
}
