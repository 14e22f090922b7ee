"""The model lives at module level, and the mean goes on from run to run."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


MODELS = {}


def running_mean(seed, batches, momentum):
    model = MODELS.setdefault((batches.shape[2], momentum), RunningMean(batches.shape[2], momentum))
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.mean.value
