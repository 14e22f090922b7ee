"""Uses its running mean in eval mode, as it should, and updates it there as well."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)
MIN_FLAX = "0.10.7"


class Norm(nnx.Module):
    def __init__(self, features):
        self.use_running_average = False
        self.mean = nnx.BatchStat(jnp.zeros((features,)))

    def __call__(self, x):
        batch = x.mean(axis=0)
        mean = self.mean[...] if self.use_running_average else batch
        self.mean[...] = 0.9 * self.mean[...] + 0.1 * batch
        return x - mean


subject = {
    "make": lambda rngs: Norm(4),
    "inputs": (np.arange(8, dtype=np.float32).reshape(2, 4),),
    "traits": {"has_eval_mode": True},
}
