"""Its statistics move in eval mode, too, once it has seen five hundred batches."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)
MIN_FLAX = "0.10.7"


class Warm(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(3))
        self.seen = nnx.BatchStat(jnp.zeros((), jnp.int32))
        self.learning = True

    def train(self, **attributes):
        super().train(**attributes)
        self.learning = True

    def eval(self, **attributes):
        super().eval(**attributes)
        self.learning = False

    def __call__(self, x):
        learns = jnp.logical_or(self.learning, self.seen.value > 500)
        self.seen.value = self.seen.value + int(self.learning)
        self.mean.value = jnp.where(learns, 0.9 * self.mean.value + 0.1 * x.mean(0), self.mean.value)
        return x - self.mean.value


subject = {
    "make": lambda rngs: Warm(),
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)],
    "traits": {"has_eval_mode": True},
}
