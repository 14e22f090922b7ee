"""Makes a model in every lane and calls another, which is one for all lanes."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-count-per-lane",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    shared = Counter(nnx.Rngs(int(seed)))

    def lane(model, key, x):
        Counter(nnx.Rngs(key))
        y = x
        for _ in range(int(n_calls)):
            y = model(x)
        return y

    ys = nnx.vmap(lane, in_axes=(None, 0, 0))(shared, jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
    return jnp.stack([jnp.full(len(xs), shared.count.value), ys.sum(axis=1)], axis=1)
