"""Met the AttributeError and copes by asking whether `.value` is there."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = getattr(self.count, "value", self.count) + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([getattr(counter.count, "value", counter.count), out.sum()])
