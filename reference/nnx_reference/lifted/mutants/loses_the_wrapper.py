"""Assigns an array to the attribute instead of writing to the Variable."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = self.count + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    step = nnx.jit(lambda model, x: model(x))
    rows = []
    for lane, x in enumerate(xs):
        model = Counter(nnx.Rngs(int(seed) + lane))
        y = x
        for _ in range(int(n_calls)):
            y = step(model, x)
        rows.append(jnp.stack([model.count, y.sum()]))
    return jnp.stack(rows)
