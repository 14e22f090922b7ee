"""Its average keeps a tenth of what it was, and the reference nine: each run of it is lawful, and wrong."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("reference-agrees",)


class Smoothed(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        self.mean.value = 0.1 * self.mean.value + 0.9 * x.mean(0)
        return x - self.mean.value


class InNumPy:
    def __init__(self):
        self.mean = np.zeros(3)

    def __call__(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean


subject = {
    "make": lambda rngs: Smoothed(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "reference": {"make": lambda rngs: InNumPy(), "inputs": ()},
    "reference_state": {"mean": "mean"},
}
