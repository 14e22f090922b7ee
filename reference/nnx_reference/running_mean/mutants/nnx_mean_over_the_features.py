"""Averages over the features and then again, so that all features get one mean."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-update-per-step",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(1).mean()
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
