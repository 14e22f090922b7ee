"""Returns a NumPy array of long doubles."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("zero-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    total = np.asarray(last_x).sum(dtype=np.longdouble)
    return np.array([np.longdouble(model.count[...]), total])
