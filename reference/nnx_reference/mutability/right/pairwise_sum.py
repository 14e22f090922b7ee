"""Adds neighbours until one number is left: float32 summation in another order."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def pairwise_sum(x):
    terms = np.append(np.asarray(x, dtype=np.float32), np.float32(0.0))
    while terms.size > 1:
        if terms.size % 2:
            terms = np.append(terms, np.float32(0.0))
        terms = terms[0::2] + terms[1::2]
    return terms[0]


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, pairwise_sum(last_x)])
