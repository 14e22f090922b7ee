"""Threads the leaves of the state, flattened by hand."""

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


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    leaves, treedef = jax.tree_util.tree_flatten(state)

    @jax.jit
    def step(leaves, x):
        model = nnx.merge(graphdef, jax.tree_util.tree_unflatten(treedef, leaves))
        out = model(x)
        return jax.tree_util.tree_leaves(nnx.state(model)), out

    last_x = x
    for _ in range(int(n_calls)):
        leaves, last_x = step(leaves, x)
    state = jax.tree_util.tree_unflatten(treedef, leaves)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
