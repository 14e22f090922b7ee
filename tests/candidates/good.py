"""Right in every way, on every Flax that the kit supports."""

import jax.numpy as jnp
from flax import nnx

CURRENT = hasattr(nnx.Variable, "get_value")  # Flax 0.12.1 brought it, and deprecated `.value`


def read(variable):
    return variable.get_value() if CURRENT else variable.value


def write(variable, value):
    if CURRENT:
        variable.set_value(value)
    else:
        variable.value = value


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        write(self.count, read(self.count) + 1.0)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([read(model.count), last_x.sum()])
