"""The public function is wrapped by a decorator that converts its arguments."""

import functools

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


def integer_arguments(function):
    @functools.wraps(function)
    def wrapper(seed, x, n_calls):
        return function(int(seed), x, int(n_calls))

    return wrapper


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@integer_arguments
def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(seed))
    last_x = x
    for _ in range(n_calls):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
