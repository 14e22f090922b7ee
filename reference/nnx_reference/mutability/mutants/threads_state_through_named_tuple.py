"""Written for plain JAX: a NamedTuple carries the count from call to call, without any module."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

CATCHES = ("counts-in-variable",)


class Counter(NamedTuple):
    key: jax.Array
    count: jax.Array

    def apply(self, x):
        return self._replace(count=self.count + 1.0), x


def mutability_increment_count(seed, x, n_calls):
    state = Counter(jax.random.key(int(seed)), jnp.array(0.0))
    out = x
    for _ in range(int(n_calls)):
        state, out = state.apply(x)
    return jnp.array([state.count, out.sum()])
