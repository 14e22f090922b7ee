"""Welford statistics that begin as a NumPy array, to which plain calls add in place: a clone shares its memory."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("clone-independent",)


class Welford(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(np.zeros((3,), np.float32))
        self.seen = nnx.BatchStat(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.seen.value = self.seen.value + 1
        mean = self.mean.value
        step = (x.mean(0) - mean) / self.seen.value
        if isinstance(mean, np.ndarray):
            mean += np.asarray(step)
        else:
            self.mean.value = mean + step
        return x - self.mean.value


subject = {"make": lambda rngs: Welford(), "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
