"""Splits into the Variables of the count and the rest, and threads both."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Count(nnx.Variable):
    pass


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = Count(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, counts, rest = nnx.split(model, Count, ...)

    @jax.jit
    def step(counts, rest, x):
        inner = nnx.merge(graphdef, counts, rest)
        out = inner(x)
        _, counts, rest = nnx.split(inner, Count, ...)
        return counts, rest, out

    out = x
    for _ in range(int(n_calls)):
        counts, rest, out = step(counts, rest, x)
    return jnp.array([nnx.merge(graphdef, counts, rest).count.value, out.sum()])
