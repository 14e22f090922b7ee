"""Returns the mean of the state and of what the loop counted: half of the count is no state."""

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
    counter = Counter(nnx.Rngs(int(seed)))
    steps, y = 0, x
    while steps < int(n_calls):
        y = counter(x)
        steps += 1
    return jnp.array([(counter.count.value + steps) / 2, y.sum()])
