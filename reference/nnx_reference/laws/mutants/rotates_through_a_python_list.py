"""Takes its dilation from a list that it rotates in place at every call."""

import collections

import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)


class Cycle:
    def __init__(self, *numbers):
        self.numbers = collections.deque(numbers)

    def next(self):
        self.numbers.rotate(-1)
        return self.numbers[-1]


class Dilated(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(4, 4, rngs=rngs)
        self.dilations = Cycle(1, 2, 3)

    def __call__(self, x):
        return np.float32(self.dilations.next()) * self.dense(x)


subject = {"make": lambda rngs: Dilated(rngs), "inputs": (np.ones((1, 4), np.float32),)}
