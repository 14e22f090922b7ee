"""The exercise `mutability`, solved plainly: a Flax NNX module that counts its own calls.

`copy_from` writes to a Variable on every Flax from 0.8.5 on. From Flax 0.10.7 on, where indexing works too, the shorter
form is `self.count[...] = self.count[...] + 1.0`.
"""

import jax
import jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    """A module that returns its input and counts how often it was called."""

    def __init__(self, rngs: nnx.Rngs):
        rngs.params()  # The exercise asks for one key to be drawn; a counter has no use for it.
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: jax.Array) -> jax.Array:
        # The contents change and the Variable stays: `self.count = ...` would replace it.
        self.count.copy_from(nnx.Variable(self.count + 1.0))
        return x


def mutability_increment_count(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
    """Calls a `Counter` eagerly and reports its count and the sum of its last output.

    Args:
        seed: seed of the module's Rngs; a whole number.
        x: the vector, shape `[n]`, that is passed to every call.
        n_calls: how many calls to make; a whole number >= 0.

    Returns:
        `[n_calls, x.sum()]`, shape `[2]`, read from the model and from its last output.
    """
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count, last_x.sum()])
