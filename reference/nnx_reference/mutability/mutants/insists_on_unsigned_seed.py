"""Takes the seed for a uint32, which raises for negative and for large seeds."""

import flax.nnx as nnx
import jax.numpy as jnp
import numpy as np

CATCHES = ("any-seed",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(np.uint32(int(seed)))))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.array([model.count.value, out.sum()])
