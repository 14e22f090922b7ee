"""Raises TypeError for any dtype but float32."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("other-dtypes",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    if x.dtype != jnp.float32:
        raise TypeError(f"float32 expected, got {x.dtype}")
    n = int(n_calls)
    module = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(n):
        output = module(x)
    return jnp.array([module.count[...], output.sum()])
