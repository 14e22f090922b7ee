"""A critic that clips its own weights in `__call__` while it trains, as the paper clips them in the training loop."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("params-untouched",)


class Critic(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, limit=0.01):
        self.limit = limit
        self.training = True
        self.hidden = nnx.Linear(4, 8, rngs=rngs)
        self.out = nnx.Linear(8, 1, rngs=rngs)

    def eval(self, **attributes):
        self.training = False
        super().eval(**attributes)

    def train(self, **attributes):
        self.training = True
        super().train(**attributes)

    def __call__(self, x):
        if self.training:
            params = jax.tree.map(lambda w: jnp.clip(w, -self.limit, self.limit), nnx.state(self, nnx.Param))
            nnx.update(self, params)
        return self.out(nnx.relu(self.hidden(x)))


subject = {
    "make": lambda rngs: Critic(rngs),
    "inputs": (np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4),),
    "traits": {"has_eval_mode": True},
}
