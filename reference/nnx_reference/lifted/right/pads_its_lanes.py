"""Pads the lanes to a multiple of four, so that few shapes are compiled, and returns those that were given."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)
WIDTH = 4


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
    lanes = len(xs)
    padded = jnp.pad(xs, ((0, -lanes % WIDTH), (0, 0)))
    keys = jax.random.split(jax.random.key(int(seed)), len(padded))
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys)
    ys = padded
    for _ in range(int(n_calls)):
        ys = step(models, padded)
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)[:lanes]
