"""Takes a key from its stream before it looks at the mode: eval changes no output, and still advances the stream."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Drop(nnx.Module):
    def __init__(self, rngs):
        self.deterministic = False
        self.rngs = rngs

    def __call__(self, x):
        key = self.rngs.dropout()
        if self.deterministic:
            return x
        return jnp.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0.0)


subject = {
    "make": lambda rngs: Drop(nnx.Rngs(dropout=rngs.params())),
    "inputs": (np.ones((4, 8), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
