"""Keeps the count as a BatchStat, the type Flax itself uses for state that no gradient touches."""

import jax.numpy as jnp
from flax.nnx import BatchStat, Module, Rngs

ADVICE = ("current-access",)


class Counter(Module):
    def __init__(self, rngs: Rngs):
        rngs.params()
        self.count = BatchStat(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
