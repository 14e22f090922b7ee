"""Adds noise from NumPy's global generator, which goes on from call to call."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    noise = np.random.random()
    return jnp.array([model.count.value, last_x.sum() + noise])
