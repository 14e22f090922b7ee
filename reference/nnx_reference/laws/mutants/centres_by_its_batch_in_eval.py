"""Uses the mean of its batch in eval mode, too: one example is centred to zero."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rows-independent",)


class Centred(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.use_running_average = False

    def __call__(self, x):
        mean = x.mean(0)
        if not self.use_running_average:
            self.mean.value = 0.9 * self.mean.value + 0.1 * mean
        return x - mean


subject = {
    "make": lambda rngs: Centred(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"has_eval_mode": True},
}
