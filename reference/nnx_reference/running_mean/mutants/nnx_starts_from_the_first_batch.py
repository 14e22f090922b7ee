"""The mean starts from that of the first batch, so that there is no start to correct for."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("starts-from-zeros",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    model.mean.value = jnp.asarray(batches[0].mean(0))
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
