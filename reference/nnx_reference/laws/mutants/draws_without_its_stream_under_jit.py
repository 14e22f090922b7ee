"""Takes a fresh key from its stream in plain Python and the stream's bare key while JAX traces."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)
MIN_FLAX = "0.10.7"


class Jitter(nnx.Module):
    def __init__(self, rngs):
        self.stream = rngs.fork() if hasattr(rngs, "fork") else rngs

    def __call__(self, x):
        tracing = isinstance(x, jax.core.Tracer)
        key = self.stream.params.key[...] if tracing else self.stream.params()
        return x + jax.random.uniform(key, jnp.shape(x))


subject = {
    "make": lambda rngs: Jitter(nnx.Rngs(params=rngs.params())),
    "inputs": (np.zeros((8,), np.float32),),
    "traits": {"draws_randomness": True},
}
