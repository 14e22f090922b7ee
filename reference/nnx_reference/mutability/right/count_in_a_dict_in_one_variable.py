"""One Variable holds all the state, a dict; the count is a part of it."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("one-variable-named-count", "current-access")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.state = nnx.Variable({"calls": jnp.array(0.0), "last": jnp.array(0.0)})

    def __call__(self, x):
        state = self.state.value
        self.state.value = {"calls": state["calls"] + 1.0, "last": jnp.float32(x.sum())}
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.stack([model.state.value["calls"], jnp.float32(last_x.sum())])
