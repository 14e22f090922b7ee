"""A Variable of its own whose hook refuses every step but one."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "zero-calls")
MIN_FLAX = "0.10.7"
BELOW_FLAX = "0.12"


def _check(var, new):
    old = var.get_raw_value() if hasattr(var, "get_raw_value") else var.raw_value
    if float(new) != float(old) + 1.0:
        raise ValueError("steps by one")
    return new


class Count(nnx.Variable):
    def on_set_value(self, value):
        return _check(self, value)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = Count(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
