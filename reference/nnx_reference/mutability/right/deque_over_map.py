"""Drains a lazy `map` of calls into a deque of length one, which keeps the last output."""

from collections import deque
from itertools import repeat

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
    model = Counter(nnx.Rngs(int(seed)))
    last = deque([x], maxlen=1)
    last.extend(map(model, repeat(x, int(n_calls))))
    return jnp.array([model.count.value, last.pop().sum()])
