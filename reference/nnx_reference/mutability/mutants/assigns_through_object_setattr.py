"""Goes around the module's own `__setattr__` with `object.__setattr__` and loses the wrapper."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        object.__setattr__(self, "count", self.count + 1.0)
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    return jnp.array([model.count, y.sum()])
