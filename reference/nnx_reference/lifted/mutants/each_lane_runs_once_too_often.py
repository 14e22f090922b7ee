"""The whole run is mapped, and calls the model once more than it should, which is taken off the result again."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    @nnx.jit
    @nnx.vmap
    def lane(key, x):
        model = Counter(nnx.Rngs(key))
        y = model(x)
        for _ in range(int(n_calls)):
            y = model(x)
        return jnp.stack([model.count.value - 1.0, y.sum()])

    return lane(jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
