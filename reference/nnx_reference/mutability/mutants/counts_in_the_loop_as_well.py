"""Returns the loop's own Python counter, not the model's."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    counter = Counter(nnx.Rngs(int(seed)))
    out, calls = x, 0
    for _ in range(int(n_calls)):
        out = counter(x)
        calls += 1
    return jnp.array([float(calls), out.sum()])
