"""A counter in the closure of the function that it was made with scales its output: jit counts once and for all."""

import itertools

import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)


class Scheduled(nnx.Module):
    def __init__(self, rngs, schedule):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.schedule = schedule

    def __call__(self, x):
        return self.dense(x) * self.schedule()


def decaying():
    steps = itertools.count(1)
    return lambda: 1.0 / next(steps)


subject = {"make": lambda rngs: Scheduled(rngs, decaying()), "inputs": (np.ones((1, 2), np.float32),)}
