"""Takes `nnx.LoRAParam` for a type without gradient; from Flax 0.10 on it is a Param."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("counter-not-param",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.LoRAParam(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
