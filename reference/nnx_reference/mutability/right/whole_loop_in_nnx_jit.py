"""Runs the whole Python loop inside one `nnx.jit`, which unrolls it."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "eager-calls", "many-calls")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    @nnx.jit
    def run(model, x):
        last_x = x
        for _ in range(int(n_calls)):
            last_x = model(x)
        return last_x

    model = Counter(nnx.Rngs(int(seed)))
    last_x = run(model, x)
    return jnp.array([model.count.value, last_x.sum()])
