"""Saves the stream's count before it draws and restores it afterwards, for "stable" noise: two calls are alike."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)
MIN_FLAX = "0.10.7"


class Noise(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.rngs = rngs

    def __call__(self, x):
        before = self.rngs.noise.count[...]
        y = x + jax.random.normal(self.rngs.noise(), x.shape)
        self.rngs.noise.count[...] = before
        return y


subject = {
    "make": lambda rngs: Noise(nnx.Rngs(noise=rngs.params())),
    "inputs": (np.zeros((8,), np.float32),),
    "traits": {"draws_randomness": True},
}
