"""An exponential average of its own kernel in a second Param: the optimiser then decays the average, too."""

import numpy as np
from flax import nnx

CATCHES = ("params-untouched", "optimizer-safe")
MIN_FLAX = "0.10.7"


class Averaged(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(nnx.initializers.normal()(rngs.params(), (3, 3)))
        self.average = nnx.Param(nnx.initializers.ones(rngs.params(), (3, 3)))

    def __call__(self, x):
        self.average[...] = 0.99 * self.average[...] + 0.01 * self.kernel[...]
        return x @ self.kernel[...]


subject = {"make": lambda rngs: Averaged(rngs), "inputs": (np.eye(3, dtype=np.float32),)}
