"""Runs the model as asked and returns `n_calls`, so the model is decoration."""

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
    net = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = net(x)
    return jnp.array([float(int(n_calls)), out.sum()])
