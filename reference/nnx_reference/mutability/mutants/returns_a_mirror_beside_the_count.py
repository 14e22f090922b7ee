"""Returns a Variable that is set from a Python int, beside one that really counts."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.shown = nnx.Variable(jnp.array(0.0))
        self.n = 0

    def __call__(self, x):
        self.n += 1
        self.count[...] = self.count[...] + 1.0
        self.shown[...] = jnp.array(float(self.n))
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.shown[...], last_x.sum()])
