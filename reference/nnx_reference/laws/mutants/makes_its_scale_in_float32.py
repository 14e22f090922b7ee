"""Its scale is float32 beside a kernel in bfloat16, which its subject declares for all Params."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("dtype-policy",)


class Scaled(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, param_dtype=jnp.bfloat16, rngs=rngs)
        self.scale = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        return self.dense(x) * self.scale.value


subject = {
    "make": Scaled,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"dtypes": {"params": "bfloat16"}},
}
