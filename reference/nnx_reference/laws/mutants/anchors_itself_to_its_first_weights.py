"""Its penalty compares with the first weights, which a plain object holds: their memory is that of the Param."""

import dataclasses
from typing import Any

import numpy as np
from flax import nnx

CATCHES = ("donation-safe",)
MIN_FLAX = "0.12.4"


@dataclasses.dataclass(eq=False)
class Anchor:
    weights: Any


class Anchored(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.anchor = nnx.static(Anchor(self.dense.kernel.get_value()))

    def __call__(self, x):
        penalty = ((self.dense.kernel.get_value() - self.anchor.weights) ** 2).sum()
        return self.dense(x), penalty


subject = {"make": Anchored, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
