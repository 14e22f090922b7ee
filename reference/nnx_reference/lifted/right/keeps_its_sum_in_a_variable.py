"""The call returns nothing: count and sum are both kept in Variables of the models, and read from there."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "zero-calls")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        self.total.value = x.sum().astype(jnp.float32)


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    for _ in range(int(n_calls)):
        step(models, xs)
    return jnp.stack([models.count.value, models.total.value], axis=1)
