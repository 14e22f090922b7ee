"""Standardises by the unbiased deviation, where the reference takes that of all rows."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("reference-agrees",)


class Standardise(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return (x - x.mean(0)) / jnp.std(x, 0, ddof=1)


def reference(x):
    return (x - x.mean(0)) / x.std(0)


subject = {
    "make": lambda rngs: Standardise(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "reference": reference,
}
