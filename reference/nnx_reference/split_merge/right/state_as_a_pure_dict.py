"""What goes round is a plain dict of arrays, as a checkpoint holds it; the step puts it into the state and merges."""

import jax
import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.12.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, template = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(pure, x):
        state = jax.tree_util.tree_map(lambda leaf: leaf, template)
        nnx.replace_by_pure_dict(state, pure)
        model = nnx.merge(graphdef, state)
        y = model(x)
        return nnx.to_pure_dict(nnx.state(model)), y

    pure, y = nnx.to_pure_dict(template), x
    for _ in range(int(n_calls)):
        pure, y = step(pure, x)
    return jnp.array([pure["count"], y.sum()])
