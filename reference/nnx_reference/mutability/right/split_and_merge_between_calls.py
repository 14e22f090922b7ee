"""Takes the model apart after each call and puts it together again before the next."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    last_x = x
    for _ in range(int(n_calls)):
        model = nnx.merge(graphdef, state)
        last_x = model(x)
        graphdef, state = nnx.split(model)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
