"""Its debiased average divides by the weight of the call before, so that the state is right and outputs are not."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("reference-agrees",)


class Debiased(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.weight = nnx.BatchStat(jnp.ones(()))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        y = x - self.mean.value / self.weight.value
        self.weight.value = 1 - 0.9 * (1 - self.weight.value)
        return y


class Reference(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.calls = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return x - self.mean.value / (1 - 0.9**self.calls.value)


subject = {
    "make": lambda rngs: Debiased(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "reference": {"make": lambda rngs: Reference(), "inputs": ()},
    "reference_state": {"mean": "mean"},
}
