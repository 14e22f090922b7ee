"""Takes a copy of its mean as Python numbers when it is set to eval, and subtracts that: a checkpoint has none."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)


class Snapshot(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(3))
        self.taken = None
        self.learning = True

    def train(self, **attributes):
        super().train(**attributes)
        self.learning = True

    def eval(self, **attributes):
        super().eval(**attributes)
        self.learning = False
        self.taken = tuple(np.asarray(self.mean.value).tolist())

    def __call__(self, x):
        if not self.learning:
            return x - np.asarray(self.taken, np.float32)
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return x - self.mean.value


subject = {
    "make": lambda rngs: Snapshot(),
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)],
    "traits": {"has_eval_mode": True},
}
