"""Decorates `__call__` with `jax.jit` and a static self, so the tracer meets the live Variable."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    @functools.partial(jax.jit, static_argnums=0)
    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.array([model.count.value, out.sum()])
