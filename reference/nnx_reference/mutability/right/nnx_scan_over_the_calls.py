"""One `nnx.scan` makes all calls; the model is carried."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("eager-calls", "current-access")
MIN_FLAX = "0.10"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
    def calls(carry, _):
        model, x = carry
        return model, model(x)

    model, last_x = calls((model, x), jnp.arange(int(n_calls)))
    return jnp.array([model.count.value, last_x.sum()])
