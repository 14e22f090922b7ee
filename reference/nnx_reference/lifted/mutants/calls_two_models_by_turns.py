"""Two models in each lane, called by turns: the sum of their counts is right, and neither counts the calls."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    @nnx.vmap
    def lane(key, x):
        models = [Counter(nnx.Rngs(key)), Counter(nnx.Rngs(key))]
        y = x
        for at in range(int(n_calls)):
            y = models[at % 2](x)
        return jnp.stack([models[0].count.value + models[1].count.value, y.sum()])

    return lane(jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
