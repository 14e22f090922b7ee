"""Raises where its weights are not finite, and for that has to see them: abstractly, there are none."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("abstract-agrees",)


class Checked(nnx.Module):
    def __init__(self, size, rngs):
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (size, size)))
        if not jnp.isfinite(self.kernel.value).all():
            raise ValueError("weights that are not finite")
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return x @ self.kernel.value


subject = {
    "make": lambda rngs: Checked(4, rngs),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)],
}
