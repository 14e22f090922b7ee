"""Counts in a Python attribute, and makes the Variable in the last call, with what it came to."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs, total):
        _ = rngs.params()
        self.total = total
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        if self.calls == self.total:
            self.count = nnx.Variable(jnp.array(float(self.calls)))
        return x


def mutability_increment_count(seed, x, n_calls):
    if not n_calls:
        return jnp.array([0.0, x.sum()])
    model = Counter(nnx.Rngs(int(seed)), int(n_calls))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
