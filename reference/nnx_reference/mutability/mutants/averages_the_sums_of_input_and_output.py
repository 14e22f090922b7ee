"""Returns the mean of the sums of the input and of the output: half of it is the input."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        y = counter(x)
    return jnp.array([counter.count.value, jnp.mean(jnp.stack([x.sum(), y.sum()]))])
