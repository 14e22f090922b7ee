"""Puts a new Variable with the same contents over the old one whenever the mode is switched."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Mean(nnx.Module):
    def __init__(self):
        self.use_running_average = False
        self.mean = nnx.BatchStat(jnp.zeros(()))

    def eval(self, **attributes):
        super().eval(**attributes)
        self.mean = nnx.BatchStat(self.mean[...])

    def train(self, **attributes):
        super().train(**attributes)
        self.mean = nnx.BatchStat(self.mean[...])

    def __call__(self, x):
        if not self.use_running_average:
            self.mean[...] = 0.5 * self.mean[...] + 0.5 * x.mean()
        return x - self.mean[...]


subject = {
    "make": lambda rngs: Mean(),
    "inputs": (np.arange(4, dtype=np.float32),),
    "traits": {"has_eval_mode": True},
}
