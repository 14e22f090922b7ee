"""The target network starts as a copy of the online one: each has memory of its own."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.12.4"


class Target(nnx.Variable):
    pass


class Critic(nnx.Module):
    def __init__(self, rngs):
        self.online = nnx.Linear(3, 1, rngs=rngs)
        self.target = Target(jnp.array(self.online.kernel.get_value(), copy=True))

    def __call__(self, x):
        self.target.set_value(0.9 * self.target.get_value() + 0.1 * self.online.kernel.get_value())
        return self.online(x) - x @ self.target.get_value()


subject = {"make": Critic, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
