"""Averages with `nanmean`, which hides a NaN."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("nan-batch",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * jnp.nanmean(batch, 0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
