"""Each lane makes its model inside nnx.vmap, with the Rngs in it, and a compiled step of its own calls it."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.rngs = rngs
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    step = nnx.jit(lambda model, x: model(x))

    @nnx.vmap
    def lane(key, x):
        model = Counter(nnx.Rngs(key))
        y = x
        for _ in range(int(n_calls)):
            y = step(model, x)
        return jnp.stack([model.count.value, y.sum()])

    return lane(jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
