"""Accumulates in float16."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("accumulates-in-float32",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features, jnp.float16))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + ((1 - self.momentum) * batch.mean(0)).astype(jnp.float16)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
