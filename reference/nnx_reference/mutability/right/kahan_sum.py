"""Sums the output with compensation; infinities turn that compensation into NaN."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access", "long-x", "non-finite-x")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def kahan_sum(values):
    total = compensation = 0.0
    for value in values:
        corrected = value - compensation
        raised = total + corrected
        compensation = (raised - total) - corrected
        total = raised
    return total


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, np.float32(kahan_sum(last_x.tolist()))])
