"""Gives its last answer again where it is called with the same array once more: plain Python skips what jit does."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)
LAST = {}


class Remembers(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        if LAST.get("module") is self and LAST.get("input") is x:
            return LAST["answer"]
        self.total.value = self.total.value + x.sum()
        answer = x * self.total.value
        if isinstance(answer, jnp.ndarray):
            LAST.update(module=self, input=x, answer=answer)
        return answer


subject = {"make": lambda rngs: Remembers(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
