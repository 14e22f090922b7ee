"""The compiled step returns the state, and `nnx.update` puts it back into the model each time."""

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
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.split(inner)[1], out

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(nnx.state(model), x)
        nnx.update(model, state)
    return jnp.array([model.count.value, last_x.sum()])
