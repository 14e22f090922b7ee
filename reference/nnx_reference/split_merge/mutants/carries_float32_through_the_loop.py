"""A `scan` inside the compiled function carries the last output, which starts as float32 zeros: no other dtype fits."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("other-dtypes", "zero-calls")
MIN_FLAX = "0.10.0"


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
    def run(state, x, n):
        def body(_, carry):
            state, _ = carry
            inner = nnx.merge(graphdef, state)
            y = inner(x)
            return nnx.state(inner), y

        return jax.lax.fori_loop(0, n, body, (state, jnp.zeros(x.shape)))

    state, y = run(state, x, int(n_calls))
    nnx.update(model, state)
    return jnp.array([model.count.value, y.sum()])
