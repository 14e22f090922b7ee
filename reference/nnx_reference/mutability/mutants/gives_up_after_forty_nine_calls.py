"""Has a safety limit of 49 calls, so it is wrong for the largest counts only."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("count-equals-calls", "one-increment-per-call")

MAX_CALLS = 49


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(min(int(n_calls), MAX_CALLS)):
        output = model(x)
    return jnp.array([model.count.value, output.sum()])
