"""Looks at its weights when it is made, but not in a trace, where there are none to look at."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)
MIN_FLAX = "0.12"


class Checked(nnx.Module):
    def __init__(self, size, rngs):
        kernel = jax.random.normal(rngs.params(), (size, size))
        if not isinstance(kernel, jax.core.Tracer) and not np.isfinite(np.asarray(kernel)).all():
            raise ValueError("weights that are not finite")
        self.kernel = nnx.Param(kernel)
        self.steps = nnx.Variable(0)
        self.limits = np.array([-1.0, 1.0])

    def __call__(self, x):
        self.steps.value = self.steps.value + 1
        return jnp.clip(x @ self.kernel.value, self.limits[0], self.limits[1])


subject = {
    "make": lambda rngs: Checked(4, rngs),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)],
}
