"""Counts its epochs whenever it is set to train, in a number that no checkpoint holds."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)


class Epochs(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.deterministic = False
        self.epoch = 0

    def __call__(self, x):
        if not self.deterministic:
            self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return (x - self.mean.value) / (1 + self.epoch)

    def train(self, **attributes):
        super().train(**attributes)
        self.epoch += 1


subject = {
    "make": lambda rngs: Epochs(),
    "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)],
    "traits": {"has_eval_mode": True},
}
