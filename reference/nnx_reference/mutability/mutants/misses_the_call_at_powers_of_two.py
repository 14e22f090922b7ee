"""Makes one call too few when `n_calls` is a power of two above one."""

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
    n = int(n_calls)
    limit = n - 1 if n > 1 and n & (n - 1) == 0 else n
    module = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(limit):
        output = module(x)
    return jnp.array([module.count.value, output.sum()])
