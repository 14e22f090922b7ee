"""Its call switches between its layers, and loops, by the transforms of NNX, with its state in both."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.12.4"


class Mean(nnx.Module):
    def __init__(self, weight):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.weight = weight

    def __call__(self, x):
        self.mean[...] = self.mean[...] + self.weight * (x.mean(0) - self.mean[...])
        return x - self.mean[...]


class Routed(nnx.Module):
    def __init__(self):
        self.left = Mean(0.1)
        self.right = Mean(0.5)
        self.turn = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        def left(module, x):
            return module.left(x)

        def right(module, x):
            return module.right(x)

        def body(at, carried):
            module, x = carried
            module.turn[...] = (module.turn[...] + 1) % 3
            return module, x * 0.5

        y = nnx.switch(self.turn[...] % 2, [left, right], self, x)
        return nnx.fori_loop(0, 2, body, (self, y))[1]


subject = {"make": lambda rngs: Routed(), "inputs": (np.linspace(-1, 2, 9, dtype=np.float32).reshape(3, 3),)}
