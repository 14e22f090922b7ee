"""Sums the outputs of every second lane, and of the others what they were given."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), xs.shape[0])
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys)
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    even = jnp.arange(len(xs)) % 2 == 0
    sums = jnp.where(even[:, None], ys, xs).sum(axis=1)
    return jnp.stack([models.count.value, sums], axis=1)
