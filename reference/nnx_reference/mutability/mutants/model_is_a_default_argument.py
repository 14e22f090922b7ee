"""Builds the model in a default argument, which Python evaluates once and every run shares."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def run(x, n, model=Counter(nnx.Rngs(0))):  # noqa: B008
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return model, last_x


def mutability_increment_count(seed: float, x, n_calls: float):
    model, last_x = run(x, int(n_calls))
    return jnp.array([model.count.value, last_x.sum()])
