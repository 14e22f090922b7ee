"""Makes one call too few and adds the missing one to the Variable by hand."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(1, int(n_calls)):
        y = model(x)
    model.count.value = model.count.value + 1.0
    return jnp.array([model.count.value, y.sum()])
