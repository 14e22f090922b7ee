"""Takes a debiased mean from its input: of an input whose rows are alike, only the noise of the arithmetic is left."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Centre(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(4))
        self.weight = nnx.BatchStat(jnp.ones(()))

    def __call__(self, x):
        self.mean.value = 0.95 * self.mean.value + 0.05 * x.mean(0)
        self.weight.value = 0.95 * self.weight.value
        return x - self.mean.value / (1.0 - self.weight.value)


subject = {
    "make": lambda rngs: Centre(),
    "inputs": (np.arange(12, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.float32)),
}
