"""Mirrors its mean in a list on the host where it is not traced, and reads the mirror in eval mode."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)
MIN_FLAX = "0.10.7"


class Mirrored(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(3))
        self.mirror = [0.0, 0.0, 0.0]
        self.learning = True

    def train(self, **attributes):
        super().train(**attributes)
        self.learning = True

    def eval(self, **attributes):
        super().eval(**attributes)
        self.learning = False

    def __call__(self, x):
        if not self.learning:
            return x - jnp.asarray(self.mirror)
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        if not isinstance(self.mean.value, jax.core.Tracer):
            self.mirror[:] = [float(number) for number in self.mean.value]
        return x - self.mean.value


subject = {
    "make": lambda rngs: Mirrored(),
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)],
    "traits": {"has_eval_mode": True},
}
