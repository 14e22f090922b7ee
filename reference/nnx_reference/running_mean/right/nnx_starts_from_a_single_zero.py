"""The mean starts as a single zero, and has its shape from the first batch on; without steps it is that zero."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "no-steps")


class RunningMean(nnx.Module):
    def __init__(self, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.array(0.0))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
