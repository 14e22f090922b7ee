"""Maps plainly over a function that makes its model and calls it in Python: nothing is lifted."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("runs-lifted",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    n = int(n_calls)

    def one(key, x):
        model = Counter(nnx.Rngs(key))
        y = x
        for _ in range(n):
            y = model(x)
        return jnp.stack([model.count.value, y.sum()])

    return jax.vmap(one)(jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
