"""Returns zeros from every call but the last, the only one whose output is looked at."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        if self.count.value < self.calls_wanted:
            return jnp.zeros_like(x)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    model.calls_wanted = float(int(n_calls))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
