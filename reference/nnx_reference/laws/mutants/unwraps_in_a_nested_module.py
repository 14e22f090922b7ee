"""The running mean lies in a child two levels down, and a helper sets it with setattr and a plain array."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("wrapper-kept",)


def contents(leaf):
    return leaf.value if isinstance(leaf, nnx.Variable) else leaf


class Statistics(nnx.Module):
    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros((features,)))

    def blend(self, name, new, momentum=0.9):
        setattr(self, name, momentum * contents(getattr(self, name)) + (1 - momentum) * new)


class Centre(nnx.Module):
    def __init__(self, features):
        self.statistics = Statistics(features)

    def __call__(self, x):
        self.statistics.blend("mean", x.mean(axis=0))
        return x - contents(self.statistics.mean)


class Block(nnx.Module):
    def __init__(self, features, rngs):
        self.dense = nnx.Linear(features, features, rngs=rngs)
        self.centre = Centre(features)

    def __call__(self, x):
        return self.centre(self.dense(x))


subject = {"make": lambda rngs: Block(4, rngs), "inputs": (np.arange(12, dtype=np.float32).reshape(3, 4) / 7,)}
