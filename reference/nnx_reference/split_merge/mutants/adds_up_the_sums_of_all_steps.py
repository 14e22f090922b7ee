"""The step returns the sum of its output, and the loop adds these up, as it would a loss."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("sum-preserved",)


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
    def train_step(state, x):
        inner = nnx.merge(graphdef, state)
        loss = inner(x).sum()
        return nnx.state(inner), loss

    if int(n_calls) == 0:
        return jnp.array([0.0, x.sum()])
    total = 0.0
    for _ in range(int(n_calls)):
        state, loss = train_step(state, x)
        total = total + loss
    nnx.update(model, state)
    return jnp.array([model.count.value, total])
