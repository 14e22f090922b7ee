"""A property with a setter hides the Variable and writes to its contents."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "one-variable-named-count")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self._count = nnx.Variable(jnp.array(0.0))

    @property
    def count(self):
        return self._count.value

    @count.setter
    def count(self, new):
        self._count.value = new

    def __call__(self, x):
        self.count = self.count + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count, last_x.sum()])
