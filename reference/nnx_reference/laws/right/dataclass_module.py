"""A module that is a dataclass with a field for its state."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


@dataclasses.dataclass
class Mean(nnx.Module):
    rate: float = 0.5
    mean: nnx.Variable = dataclasses.field(default_factory=lambda: nnx.BatchStat(jnp.zeros(())))

    def __call__(self, x):
        self.mean.value = (1 - self.rate) * self.mean.value + self.rate * x.mean()
        return x - self.mean.value


subject = {"make": lambda rngs: Mean(0.25), "inputs": (np.array([1.0, 2.0], np.float32),)}
