"""The module is a dataclass that takes its Rngs as an init-only field."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


@dataclasses.dataclass
class Counter(nnx.Module):
    rngs: dataclasses.InitVar[nnx.Rngs]
    start: dataclasses.InitVar[float] = 0.0

    def __post_init__(self, rngs, start):
        rngs.params()
        self.count = nnx.Variable(jnp.array(start))

    def __call__(self, x: jax.Array) -> jax.Array:
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
