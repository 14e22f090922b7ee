"""Loops with `nnx.fori_loop`, which carries the model's state through one traced call."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("eager-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def body(_, carry):
    model, out = carry
    return model, model(out)


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    model, last_x = nnx.fori_loop(0, int(n_calls), body, (model, x))
    return jnp.array([model.count[...], last_x.sum()])
