"""Guards its update with a lock of its own, which can be neither copied nor pickled."""

import threading

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("deepcopy-agrees",)


class Guarded(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))
        self.lock = threading.Lock()

    def __call__(self, x):
        with self.lock:
            self.total.value = self.total.value + x.sum()
        return x * self.total.value


subject = {"make": lambda rngs: Guarded(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
