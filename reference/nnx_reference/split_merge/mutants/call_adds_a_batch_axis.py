"""The call adds a batch axis to its input, and the step takes it off again."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x[None, :]


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        batch = inner(x)
        return nnx.state(inner), batch[0]

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    nnx.update(model, state)
    return jnp.array([model.count.value, last_x.sum()])
