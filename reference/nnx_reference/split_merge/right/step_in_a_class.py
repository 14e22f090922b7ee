"""The compiled step is an attribute of an object that holds state and graph definition."""

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


class Runner:
    def __init__(self, model):
        self.graphdef, self.state = nnx.split(model)
        self.compiled = jax.jit(self.pure)

    def pure(self, state, x):
        model = nnx.merge(self.graphdef, state)
        out = model(x)
        return out, nnx.state(model)

    def __call__(self, x):
        out, self.state = self.compiled(self.state, x)
        return out


def functional_count(seed, x, n_calls):
    runner = Runner(Counter(nnx.Rngs(int(seed))))
    out = x
    for _ in range(int(n_calls)):
        out = runner(x)
    model = nnx.merge(runner.graphdef, runner.state)
    return jnp.array([model.count.value, out.sum()])
