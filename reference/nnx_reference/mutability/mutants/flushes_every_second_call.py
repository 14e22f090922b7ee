"""Buffers increments and writes two at every second call; a final flush corrects the total."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.pending = 0
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.pending += 1
        if self.pending == 2:
            self.flush()
        return x

    def flush(self):
        self.count[...] = self.count[...] + float(self.pending)
        self.pending = 0


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    model.flush()
    return jnp.array([model.count[...], out.sum()])
