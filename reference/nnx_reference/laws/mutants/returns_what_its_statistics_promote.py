"""Its float32 mean promotes what it returns, which is declared to be bfloat16."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("dtype-policy",)


class Centred(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return x.astype(jnp.bfloat16) - self.mean.value


subject = {
    "make": lambda rngs: Centred(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"dtypes": {"output": "bfloat16"}},
}
