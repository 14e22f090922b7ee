"""Counts in a Python number beside the model."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        COUNT[0] += 1
        return x


COUNT = [0]


def lifted_count(seed, xs, n_calls):
    COUNT[0] = 0
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    step = nnx.vmap(lambda model, x: model(x))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([jnp.full(len(xs), float(COUNT[0])), ys.sum(axis=1)], axis=1)
