"""Reads the mean by a method of its own, in an `apply` that may change nothing, after the steps and between them."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class Mean(nn.Module):
    features: int

    def setup(self):
        self.mean = self.variable("batch_stats", "mean", lambda: jnp.zeros(self.features))

    def __call__(self, batch, momentum):
        if not self.is_initializing():
            self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)
        return batch

    def read(self):
        return self.mean.value


def running_mean(seed, batches, momentum):
    model = Mean(batches.shape[-1])
    variables = model.init(jax.random.key(int(seed)), jnp.zeros((1, batches.shape[-1])), momentum)
    mean = model.apply(variables, method=model.read)
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch), momentum, mutable=["batch_stats"])
        variables = {**variables, **updated}
        mean = model.apply(variables, method=model.read)
    return mean
