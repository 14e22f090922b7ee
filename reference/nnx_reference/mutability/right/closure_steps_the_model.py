"""A nested function closes over model and input, and the loop calls that function."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


def make_step(seed, x):
    class Counter(nnx.Module):
        def __init__(self, rngs):
            rngs.params()
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x):
            self.count.value = self.count.value + 1.0
            return x

    model = Counter(nnx.Rngs(seed))
    return model, lambda: model(x)


def mutability_increment_count(seed, x, n_calls):
    model, step = make_step(int(seed), x)
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step()
    return jnp.array([model.count.value, last_x.sum()])
