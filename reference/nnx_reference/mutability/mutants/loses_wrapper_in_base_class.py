"""The line that loses the wrapper is in a base class, far from the module that is called."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("wrapper-kept",)


class Base(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def bump(self, by=1.0):
        self.count = self.count + by


class Counter(Base):
    def __call__(self, x):
        self.bump()
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = model(x)
    return jnp.array([model.count, y.sum()])
