"""Counts in each lane, and returns what the first lane counted for all of them."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.jit
def step(models, xs):
    return nnx.vmap(lambda model, x: model(x))(models, xs)


def lifted_count(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), len(xs))
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys)
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([jnp.full(len(xs), models.count.value[0]), ys.sum(axis=1)], axis=1)
