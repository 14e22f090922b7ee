"""Sets the counts to zero once more before the first call."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(int(seed)), len(xs)))
    models.count.value = jnp.zeros_like(models.count.value)
    step = nnx.vmap(lambda model, x: model(x))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)
