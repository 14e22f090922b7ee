"""Scans with `jax.lax.scan` over the calls, whose body closes over the models."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    step = nnx.vmap(lambda model, x: model(x))
    _, outputs = jax.lax.scan(lambda carry, _: (carry, step(models, xs)), 0, None, length=max(int(n_calls), 1))
    ys = outputs[-1]
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)
