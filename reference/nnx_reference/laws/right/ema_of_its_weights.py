"""An average of its own kernel in a Variable that is no Param, moved on by each call in training."""

import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Average(nnx.Variable):
    pass


class Averaged(nnx.Module):
    def __init__(self, rngs):
        self.use_running_average = False
        self.kernel = nnx.Param(nnx.initializers.normal()(rngs.params(), (3, 3)))
        self.average = Average(nnx.initializers.ones(rngs.params(), (3, 3)))

    def __call__(self, x):
        if self.use_running_average:
            return x @ self.average[...]
        self.average[...] = 0.9 * self.average[...] + 0.1 * self.kernel[...]
        return x @ self.kernel[...]


subject = {
    "make": lambda rngs: Averaged(rngs),
    "inputs": (np.eye(3, dtype=np.float32),),
    "traits": {"has_eval_mode": True},
}
