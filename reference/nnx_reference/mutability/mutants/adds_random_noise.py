"""Adds unseeded noise to the sum, so no two runs agree."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("fresh-state-per-run",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = model(x)
    noise = 1.0 + np.random.default_rng().random()
    return jnp.array([model.count[...], output.sum() * noise + noise])
