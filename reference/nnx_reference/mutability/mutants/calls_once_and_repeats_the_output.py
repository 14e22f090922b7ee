"""Multiplies the list of outputs, and not the calls: the model runs once."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls", "one-increment-per-call")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    outputs = [model(x)] * int(n_calls)
    return jnp.array([model.count.value, outputs[-1].sum() if outputs else x.sum()])
