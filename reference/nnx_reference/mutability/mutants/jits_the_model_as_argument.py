"""Passes the model to plain `jax.jit`: from Flax 0.11 on the count silently stays at zero."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.11"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@jax.jit
def step(model, x):
    return model(x)


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(n):
        output = step(model, x)
    return jnp.array([model.count.value, output.sum()])
