"""Derives the key of its noise from the time at which it was made."""

import time

import jax
import numpy as np
from flax import nnx

CATCHES = ("rng-reproducible",)


class Noise(nnx.Module):
    def __init__(self):
        self.rngs = nnx.Rngs(noise=time.perf_counter_ns() % 2**31)

    def __call__(self, x):
        return x + jax.random.normal(self.rngs.noise(), x.shape)


subject = {
    "make": lambda rngs: Noise(),
    "inputs": (np.zeros((8,), np.float32),),
    "traits": {"draws_randomness": True},
}
