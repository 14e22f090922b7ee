"""A plain `jax.jit` gets the model, which is a pytree, and returns it; the caller goes on with what was returned."""

import jax
import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.11"
ADVICE = ("eager-calls", "current-access")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@jax.jit
def step(model, x):
    last_x = model(x)
    return model, last_x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        model, last_x = step(model, x)
    return jnp.array([model.count.value, last_x.sum()])
