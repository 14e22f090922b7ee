"""Replaces NaN and infinities before summing, so the sum hides them."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("non-finite-x",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = counter(x)
    return jnp.array([counter.count.value, jnp.nan_to_num(last_x).sum()])
