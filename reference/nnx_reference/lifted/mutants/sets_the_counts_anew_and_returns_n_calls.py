"""Sets the counts to zero, so that a changed start does not show, and returns `n_calls`."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(int(seed)), len(xs)))
    models.count.value = jnp.zeros(len(xs))
    step = nnx.vmap(lambda model, x: model(x))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    return jnp.stack([jnp.full(len(xs), float(n_calls)), ys.sum(axis=1)], axis=1)
