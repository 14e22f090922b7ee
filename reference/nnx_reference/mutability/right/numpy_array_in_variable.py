"""The Variable holds a NumPy scalar array, replaced at each call."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(np.zeros((), dtype=np.float32))

    def __call__(self, x):
        self.count.value = np.asarray(self.count.value + 1.0, dtype=np.float32)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
