"""Counts in int8, which wraps around after 127 calls."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("many-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros((), jnp.int8))

    def __call__(self, x):
        self.count.value = self.count.value + jnp.int8(1)
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([models.count.value.astype(jnp.float32), ys.sum(axis=1)], axis=1)
