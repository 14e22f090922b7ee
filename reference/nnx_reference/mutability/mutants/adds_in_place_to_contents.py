"""Writes `self.count[...] += 1.0`, which the exercise rules out like any augmented assignment."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("no-in-place-add",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] += 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.array([model.count[...], out.sum()])
