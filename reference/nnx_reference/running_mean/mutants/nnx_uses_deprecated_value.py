"""Writes through `.value`, which Flax deprecates from 0.12.1 on, in a submodule only."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Statistic(nnx.Module):
    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def update(self, batch, momentum):
        self.mean.value = momentum * self.mean[...] + (1 - momentum) * batch.mean(0)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.statistic = Statistic(features)

    def __call__(self, batch):
        self.statistic.update(batch, self.momentum)
        return batch - self.statistic.mean[...]


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.statistic.mean[...]
