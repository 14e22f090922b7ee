"""The mean has the dtype of the batches: of int32 ones it is an int32, and every update is cut to a whole number."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("other-dtypes",)


class RunningMean(nnx.Module):
    def __init__(self, features, dtype, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features, dtype))

    def __call__(self, batch):
        new = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        self.mean.value = new.astype(self.mean.value.dtype)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], batches.dtype, momentum)
    for batch in batches:
        model(jnp.asarray(batch))
    return model.mean.value
