"""Deletes the attribute that holds the Variable and sets it anew to an array."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        new = self.count + 1.0
        del self.count
        self.count = new
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = model(x)
    return jnp.array([model.count, output.sum()])
