"""The step is compiled by `nnx.jit`."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    step = nnx.jit(lambda model, batch: model(batch))
    for batch in batches:
        step(model, jnp.asarray(batch, jnp.float32))
    return model.mean.value
