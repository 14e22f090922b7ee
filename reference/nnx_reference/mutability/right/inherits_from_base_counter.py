"""A base class owns the Variable and the increment; the module inherits them."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class BaseCounter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def increment(self):
        self.count.value = self.count.value + 1.0


class Counter(BaseCounter):
    def __call__(self, x):
        self.increment()
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
