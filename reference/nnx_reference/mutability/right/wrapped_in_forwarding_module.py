"""The counter sits inside a second module, which is the one that is called and forwards to it."""

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


class Monitored(nnx.Module):
    def __init__(self, rngs):
        self.counter = Counter(rngs)

    def __call__(self, x):
        return self.counter(x)


def mutability_increment_count(seed, x, n_calls):
    model = Monitored(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.counter.count.value, last_x.sum()])
