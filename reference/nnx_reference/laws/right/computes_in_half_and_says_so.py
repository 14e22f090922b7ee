"""Params and products in bfloat16, statistics and output in float32, as it declares."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Mixed(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jnp.full((3, 3), 0.5, jnp.bfloat16))
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        y = (x.astype(jnp.bfloat16) @ self.kernel.value).astype(jnp.float32)
        self.mean.value = 0.9 * self.mean.value + 0.1 * y.mean(0)
        return y


subject = {
    "make": Mixed,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"dtypes": {"params": jnp.bfloat16, "compute": jnp.bfloat16, "output": np.float32}},
}
