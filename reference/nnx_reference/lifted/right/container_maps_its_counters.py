"""A module holds the counters of all lanes, and its `__call__` runs them in `nnx.jit` and `nnx.vmap`."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.jit
def apply_lanes(counters, xs):
    return nnx.vmap(lambda counter, x: counter(x))(counters, xs)


class Lanes(nnx.Module):
    def __init__(self, keys):
        self.counters = nnx.vmap(Counter)(keys)

    def __call__(self, xs):
        return apply_lanes(self.counters, xs)


def lifted_count(seed, xs, n_calls):
    lanes = Lanes(jax.random.split(jax.random.key(int(seed)), len(xs)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = lanes(xs)
    return jnp.stack([lanes.counters.count.value, ys.sum(axis=1)], axis=1)
