"""Its reference computes in float64, and starts with the weights that the module was made with."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Normed(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        y = self.dense(x)
        self.mean.value = 0.9 * self.mean.value + 0.1 * y.mean(0)
        return {"centred": y - self.mean.value, "mean": self.mean.value}


class InNumPy:
    def __call__(self, x):
        y = x.astype(np.float64) @ self.kernel + self.bias
        self.mean = 0.9 * self.mean + 0.1 * y.mean(0)
        return {"centred": y - self.mean, "mean": self.mean}


subject = {
    "make": Normed,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "reference": {"make": lambda rngs: InNumPy(), "inputs": ()},
    "reference_state": {"dense.kernel": "kernel", "dense.bias": "bias", "mean": "mean"},
    "variables": {"Param": 2, "BatchStat": 1},
}
