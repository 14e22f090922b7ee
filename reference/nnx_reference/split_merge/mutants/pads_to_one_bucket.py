"""Sums through one compiled function for all lengths, padded to a bucket of 65,536: what is longer is cut."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("long-x",)

BUCKET = 65_536


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@jax.jit
def total(padded):
    return padded.sum()


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    kept = out[:BUCKET]
    padded = jnp.pad(kept, (0, BUCKET - len(kept)))
    return jnp.array([nnx.merge(graphdef, state).count.value, total(padded)])
