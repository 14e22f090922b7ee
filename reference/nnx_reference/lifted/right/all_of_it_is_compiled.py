"""The whole function is compiled, the making of the models too; a second call with equal arguments makes none."""

import functools

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


@functools.partial(nnx.jit, static_argnums=(0, 2))
def compiled(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(seed), xs.shape[0]))
    ys = xs
    for _ in range(n_calls):
        ys = nnx.vmap(lambda model, x: model(x))(models, xs)
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)


def lifted_count(seed, xs, n_calls):
    return compiled(int(seed), xs, int(n_calls))
