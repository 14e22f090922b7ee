"""Unrolls the loop by two and forgets the remaining call of odd counts."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("count-equals-calls", "one-increment-per-call")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls) // 2):
        counter(x)
        last_x = counter(x)
    return jnp.array([counter.count.value, last_x.sum()])
