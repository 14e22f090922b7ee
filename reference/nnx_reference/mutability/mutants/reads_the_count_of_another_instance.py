"""One counter is called; the count that is returned is another's, which is raised by hand."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model, tally = Counter(nnx.Rngs(int(seed))), Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
        tally.count.value = tally.count.value + 1.0
    return jnp.array([tally.count.value, last_x.sum()])
