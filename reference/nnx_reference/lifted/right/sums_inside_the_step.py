"""The compiled step returns the sum of each lane, and the sums of the last step are the result."""

import jax
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


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))

    @nnx.jit
    @nnx.vmap
    def step(model, x):
        return jnp.sum(model(x))

    sums = xs.sum(axis=1)
    for _ in range(int(n_calls)):
        sums = step(models, xs)
    return jnp.stack([models.count.value, sums], axis=1)
