"""Uses `.value`, which Flax deprecates from 0.12.1 on."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    split = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(split, x):
        model = nnx.merge(*split)
        y = model(x)
        return nnx.split(model), y

    y = x
    for _ in range(int(n_calls)):
        split, y = step(split, x)
    return jnp.array([nnx.merge(*split).count[...], y.sum()])
