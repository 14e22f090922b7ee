"""Makes its Variable when it is called for the first time."""

import flax.nnx as nnx
import jax.numpy as jnp

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()

    def __call__(self, x):
        if not hasattr(self, "count"):
            self.count = nnx.Variable(jnp.array(0.0))
        self.count.value = self.count.value + 1.0
        return x

    def read(self):
        return self.count.value if hasattr(self, "count") else 0.0


def mutability_increment_count(seed, x, n_calls):
    model, last_x = Counter(nnx.Rngs(int(seed))), x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.read(), last_x.sum()])
