"""The count is returned, but never less than what was asked for."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([jnp.maximum(model.count.value, float(int(n_calls))), last_x.sum()])
