"""Works on a deep copy from call to call and leaves each earlier model as it was."""

import copy

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


def mutability_increment_count(seed, x, n_calls):
    model, last_x = Counter(nnx.Rngs(int(seed))), x
    for _ in range(int(n_calls)):
        model = copy.deepcopy(model)
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
