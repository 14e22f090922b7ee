"""A plain `jax.jit` gets the model and drops what each call writes; `n_calls` beside it hides that."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.11"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@jax.jit
def step(model, x):
    return model(x)


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(model, x)
    return jnp.array([float(int(n_calls)), last_x.sum()])
