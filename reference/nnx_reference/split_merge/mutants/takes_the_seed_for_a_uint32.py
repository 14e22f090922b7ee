"""Takes the seed for a uint32, as a key of JAX holds it, which raises for negative and for large seeds."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("any-seed",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(np.uint32(int(seed))))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
