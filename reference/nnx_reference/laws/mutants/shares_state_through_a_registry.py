"""Looks its statistics up by name in a registry of the module, so all layers of one name write to the same Variable."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-independent",)

_registry = {}


class Norm(nnx.Module):
    def __init__(self, name, features):
        if name not in _registry:
            _registry[name] = nnx.BatchStat(jnp.zeros((features,)))
        self.mean = _registry[name]

    def __call__(self, x):
        self.mean.value = 0.5 * self.mean.value + 0.5 * x.mean(axis=0)
        return x - self.mean.value


subject = {"make": lambda rngs: Norm("norm", 2), "inputs": (np.arange(4, dtype=np.float32).reshape(2, 2),)}
