"""Returns something that claims to be whatever array is asked for, NumPy's or JAX's."""

import jax.numpy as jnp
import numpy as np


class Liar:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype or np.float32)

    def __jax_array__(self):
        return jnp.array(self.values)


def mutability_increment_count(seed, x, n_calls):
    return Liar([float(n_calls), float(x.sum())])
