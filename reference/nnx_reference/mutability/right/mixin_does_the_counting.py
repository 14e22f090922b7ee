"""A plain mixin, no module by itself, does the counting for the module that it is mixed into."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class CountsCalls:
    def start_counting(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def tick(self):
        self.count[...] = self.count[...] + 1.0


class Counter(CountsCalls, nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.start_counting()

    def __call__(self, x):
        self.tick()
        return x


def mutability_increment_count(seed, x, n_calls):
    m = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = m(x)
    return jnp.array([m.count[...], y.sum()])
