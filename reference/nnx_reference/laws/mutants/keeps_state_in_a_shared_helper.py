"""The running total lives in a plain Python object that the module holds: static to NNX, so every copy shares it."""

import numpy as np
from flax import nnx

CATCHES = ("clone-independent", "no-hidden-state")


class Accumulator:
    def __init__(self):
        self.total = 0.0

    def add(self, number):
        self.total += number
        return self.total


class Totals(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.accumulator = Accumulator()

    def __call__(self, x):
        return self.dense(x) + self.accumulator.add(1.0)


subject = {"make": lambda rngs: Totals(rngs), "inputs": (np.ones((1, 2), np.float32),)}
