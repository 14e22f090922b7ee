"""Its kernel is cast up by the float32 input: the product is not computed in bfloat16, as is declared."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("dtype-policy",)


class Projection(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jnp.ones((3, 3), jnp.bfloat16))

    def __call__(self, x):
        return (x @ self.kernel.value).astype(jnp.bfloat16)


subject = {
    "make": Projection,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"dtypes": {"params": "bfloat16", "compute": "bfloat16", "output": "bfloat16"}},
}
