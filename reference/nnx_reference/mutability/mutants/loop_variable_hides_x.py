"""The loop's own variable is called `x`, too, so the model is called on numbers of rounds."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged", "sum-preserved")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for x in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, jnp.sum(last_x)])
