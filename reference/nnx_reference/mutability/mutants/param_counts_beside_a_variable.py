"""Returns a Param that counts, with a Variable that counts along for show."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counter-not-param",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Param(jnp.array(0.0))
        self.steps = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        self.steps[...] = self.steps[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
