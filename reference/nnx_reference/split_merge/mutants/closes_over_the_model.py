"""The compiled function closes over the model instead of taking its state."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    step = jax.jit(lambda x: model(x))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(x)
    return jnp.array([model.count.value, last_x.sum()])
