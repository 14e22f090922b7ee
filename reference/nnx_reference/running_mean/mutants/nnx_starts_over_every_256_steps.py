"""Tells the first step by a count in uint8, which is 0 again after 256 steps: there the mean starts anew."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("many-steps",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.steps = nnx.BatchStat(jnp.zeros((), jnp.uint8))
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        old = jnp.where(self.steps.value == 0, 0.0, self.mean.value)
        self.mean.value = self.momentum * old + (1 - self.momentum) * batch.mean(0)
        self.steps.value = self.steps.value + jnp.uint8(1)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
