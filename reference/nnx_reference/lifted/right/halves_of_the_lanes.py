"""The lanes in two halves, each with models of its own; of an odd number, one half is larger."""

import jax
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


step = nnx.jit(nnx.vmap(lambda model, x: model(x)))


def counted(keys, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys)
    ys = xs
    for _ in range(n_calls):
        ys = step(models, xs)
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)


def lifted_count(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), xs.shape[0])
    half = (xs.shape[0] + 1) // 2
    rows = [counted(keys[:half], xs[:half], int(n_calls))]
    if half < xs.shape[0]:
        rows.append(counted(keys[half:], xs[half:], int(n_calls)))
    return jnp.concatenate(rows)
