"""The target network starts on the very array of the online one: JAX cannot give up one memory twice."""

import numpy as np
from flax import nnx

CATCHES = ("donation-safe",)
MIN_FLAX = "0.12.4"


class Target(nnx.Variable):
    pass


class Critic(nnx.Module):
    def __init__(self, rngs):
        self.online = nnx.Linear(3, 1, rngs=rngs)
        self.target = Target(self.online.kernel.get_value())

    def __call__(self, x):
        return self.online(x) - x @ self.target.get_value()


subject = {"make": Critic, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
