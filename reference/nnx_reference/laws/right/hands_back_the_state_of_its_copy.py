"""Works on a copy under plain `jax.jit`, as functional code does, and updates itself from the state that it returns."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Functional(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        graphdef, state = nnx.split(self.norm)

        @jax.jit
        def step(state, x):
            norm = nnx.merge(graphdef, jax.tree.map(jnp.copy, state))
            return norm(x), nnx.state(norm)

        y, state = step(state, x)
        nnx.update(self.norm, state)
        return y


subject = {
    "make": lambda rngs: Functional(rngs),
    "inputs": (np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3),),
    "traits": {"has_eval_mode": True},
}
