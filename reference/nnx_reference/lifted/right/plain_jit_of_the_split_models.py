"""The state of all models is split off, and goes through a plain `jax.jit` around the mapped calls."""

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
    graphdef, state = nnx.split(models)

    @jax.jit
    def step(state, xs):
        models = nnx.merge(graphdef, state)
        out = nnx.vmap(lambda model, x: model(x))(models, xs)
        return nnx.state(models), out

    out = xs
    for _ in range(int(n_calls)):
        state, out = step(state, xs)
    return jnp.stack([nnx.merge(graphdef, state).count.value, out.sum(axis=1)], axis=1)
