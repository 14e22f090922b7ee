"""A class decorator wraps `__call__`, with `functools.wraps`, to do the counting."""

import functools

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


def counted(cls):
    plain = cls.__call__

    @functools.wraps(plain)
    def call(self, *args, **kwargs):
        self.count[...] = self.count[...] + 1.0
        return plain(self, *args, **kwargs)

    cls.__call__ = call
    return cls


@counted
class Identity(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Identity(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
