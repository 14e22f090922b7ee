"""`jax.lax.while_loop` carries the split state, and asks the count whether there are calls left to make."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("eager-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    def unfinished(carried):
        return nnx.merge(graphdef, carried[0]).count[...] < int(n_calls)

    def step(carried):
        called = nnx.merge(graphdef, carried[0])
        out = called(x)
        return nnx.state(called), out

    state, last_x = jax.lax.while_loop(unfinished, step, (state, x))
    nnx.update(model, state)
    return jnp.array([model.count[...], last_x.sum()])
