"""Seeds each instance with its number in the process, so the second module of a seed is not the first."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-reproducible",)

_numbers = itertools.count()


class Masked(nnx.Module):
    def __init__(self, rngs):
        self.rngs = nnx.Rngs(mask=next(_numbers))

    def __call__(self, x):
        return jnp.where(jax.random.bernoulli(self.rngs.mask(), 0.5, x.shape), x, 0.0)


subject = {
    "make": lambda rngs: Masked(rngs),
    "inputs": (np.ones((4, 8), np.float32),),
    "traits": {"draws_randomness": True},
}
