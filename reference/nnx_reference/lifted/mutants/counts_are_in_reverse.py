"""Returns the counts in the reverse order of the lanes."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


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
    return jnp.stack([models.count.value[::-1], ys.sum(axis=1)], axis=1)
