"""Takes its softmax over the batch: each example gets a share of the attention of all."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rows-independent",)


class Gate(nnx.Module):
    def __init__(self, rngs):
        self.score = nnx.Linear(3, 1, rngs=rngs)
        self.deterministic = False

    def __call__(self, x):
        score = self.score(x)
        weights = jnp.exp(score - score.max()) / jnp.exp(score - score.max()).sum(0)
        return x * weights


subject = {
    "make": Gate,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "traits": {"has_eval_mode": True},
}
