"""Uses `.value`, which Flax deprecates from 0.12.1 on."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.vmap
def make(key):
    return Counter(nnx.Rngs(key))


@nnx.jit
@nnx.vmap
def step(model, x):
    return model(x)


def lifted_count(seed, xs, n_calls):
    models = make(jax.random.split(jax.random.key(int(seed)), len(xs)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([models.count[...], ys.sum(axis=1)], axis=1)
