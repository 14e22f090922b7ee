"""Names a mesh axis for three features: on one device it is made, and on two it is not."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("sharded-agrees",)
MIN_FLAX = "0.12"  # before, making a Variable places nothing that cannot be placed


class Heads(nnx.Module):
    def __init__(self, rngs):
        init = nnx.with_partitioning(nnx.initializers.lecun_normal(), (None, "model"))
        self.kernel = nnx.Param(init(rngs.params(), (4, 3)))
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return x @ self.kernel.value


subject = {
    "make": lambda rngs: Heads(rngs),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 1, "model": 2},
}
