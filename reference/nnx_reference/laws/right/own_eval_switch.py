"""Overrides `eval` and `train` to switch a flag of its own, and passes them on to its children."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Centre(nnx.Module):
    def __init__(self, rngs):
        self.moving = True
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros(()))

    def eval(self, **attributes):
        super().eval(**attributes, moving=False)

    def train(self, **attributes):
        super().train(**attributes, moving=True)

    def __call__(self, x):
        if self.moving:
            self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean()
        return self.dropout(x - self.mean.value)


subject = {
    "make": lambda rngs: Centre(rngs),
    "inputs": (np.arange(16, dtype=np.float32).reshape(4, 4),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
