"""A plain `jax.jit` gives no state back; the steps are counted in Python, and added to the count at the end."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("runs-lifted",)
MIN_FLAX = "0.11.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda k: Counter(nnx.Rngs(k)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    graphdef, state = nnx.split(models)

    @jax.jit
    def step(state, xs):
        models = nnx.merge(graphdef, state)
        return nnx.vmap(lambda m, x: m(x))(models, xs)

    ys, steps = xs, 0
    for _ in range(int(n_calls)):
        ys = step(state, xs)
        steps += 1
    return jnp.stack([nnx.merge(graphdef, state).count.value + steps, ys.sum(1)], axis=1)
