"""Makes new models for every call, which are told the counts so far: no model ever counts further than one."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs, start):
        rngs.params()
        self.count = nnx.Variable(start)

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), len(xs))
    make = nnx.vmap(lambda key, start: Counter(nnx.Rngs(key), start))
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    counts, ys = jnp.zeros(len(xs)), xs
    for _ in range(int(n_calls)):
        models = make(keys, counts)
        ys = step(models, xs)
        counts = models.count.value
    return jnp.stack([counts, ys.sum(axis=1)], axis=1)
