"""One Variable that holds a dict of arrays, replaced as a whole."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Moments(nnx.Module):
    def __init__(self):
        self.moments = nnx.Variable({"first": jnp.zeros(()), "second": jnp.zeros(())})

    def __call__(self, x):
        new = {"first": jnp.mean(x), "second": jnp.mean(x**2)}
        self.moments.value = jax.tree.map(lambda old, now: 0.9 * old + 0.1 * now, dict(self.moments.value), new)
        return x - self.moments.value["first"]


subject = {"make": lambda rngs: Moments(), "inputs": (np.array([1.0, 2.0], np.float32),)}
