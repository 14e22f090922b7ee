"""Goes back, when it is set to train, to the scale that it had before `eval()`: after two of them, it never does."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)


class Scaled(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.deterministic = False
        self.scale = self.before = 1.0

    def __call__(self, x):
        if not self.deterministic:
            self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return self.scale * x - self.mean.value

    def eval(self, **attributes):
        super().eval(**attributes)
        self.before, self.scale = self.scale, 0.5

    def train(self, **attributes):
        super().train(**attributes)
        self.scale = self.before


subject = {
    "make": lambda rngs: Scaled(),
    "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)],
    "traits": {"has_eval_mode": True},
}
