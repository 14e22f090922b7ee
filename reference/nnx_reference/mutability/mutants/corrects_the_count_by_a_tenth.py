"""Starts from what it expects and moves a tenth of the way to the state, as a smoothed count would."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    expected = jnp.float32(int(n_calls))
    for _ in range(int(n_calls)):
        y = counter(x)
    return jnp.array([expected + 0.1 * (counter.count.value - expected), y.sum()])
