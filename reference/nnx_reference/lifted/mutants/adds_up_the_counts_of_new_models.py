"""Makes new models for each call and adds up their counts, none of which goes beyond 1."""

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
    keys = jax.random.split(jax.random.key(int(seed)), len(xs))
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    counts, ys = jnp.zeros(len(xs)), xs
    for _ in range(int(n_calls)):
        models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys)
        ys = step(models, xs)
        counts = counts + models.count.value
    return jnp.stack([counts, ys.sum(axis=1)], axis=1)
