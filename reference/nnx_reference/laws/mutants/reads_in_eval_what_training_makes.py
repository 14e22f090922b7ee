"""In eval it reads a statistic that only a call in training makes: a new module cannot be evaluated."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("calls-return",)


class Centre(nnx.Module):
    def __init__(self):
        self.use_running_average = False

    def __call__(self, x):
        if not self.use_running_average:
            if not hasattr(self, "mean"):
                self.mean = nnx.BatchStat(jnp.zeros(x.shape[1]))
            self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
            return x - x.mean(0)
        return x - self.mean.value


subject = {
    "make": lambda rngs: Centre(),
    "inputs": [np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)],
    "traits": {"has_eval_mode": True},
}
