"""Gives the class its `__call__` when an instance of it exists already."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("zero-calls",)
MIN_FLAX = "0.10.7"


def mutability_increment_count(seed, x, n_calls):
    class Counter(nnx.Module):
        def __init__(self, rngs):
            rngs.params()
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x):
            raise NotImplementedError

    model = Counter(nnx.Rngs(int(seed)))

    def _call(self, x):
        self.count[...] = self.count[...] + 1.0
        return x

    Counter.__call__ = _call
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
