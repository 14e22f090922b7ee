"""Returns by how much the counts rose: the counts at the end, less those that the models had when they were made."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    make = nnx.split_rngs(splits=xs.shape[0])(nnx.vmap(Counter))
    models = make(nnx.Rngs(int(seed)))
    before = models.count.value
    step = nnx.jit(nnx.vmap(lambda model, x: model(x)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(models, xs)
    rose = models.count.value - before
    return jnp.concatenate([rose[:, None], ys.sum(axis=1, keepdims=True)], axis=1)
