"""Returns the sum first and the count second."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls", "sum-preserved")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = net(x)
    return jnp.array([last_x.sum(), net.count.value])
