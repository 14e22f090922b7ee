"""Its `__repr__` shows a width that the first call learns: before that, it raises."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("represents",)


class Wide(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.width = x.shape[-1]
        self.calls.value = self.calls.value + 1
        return x

    def __repr__(self):
        return f"Wide({self.width})"


subject = {
    "make": lambda rngs: Wide(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
