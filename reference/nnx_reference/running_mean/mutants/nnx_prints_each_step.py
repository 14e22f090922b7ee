"""Prints the mean after each step, left over from debugging."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("quiet",)


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for step, batch in enumerate(batches):
        model(jnp.asarray(batch, jnp.float32))
        print(f"step {step}: mean {model.mean.value}")
    return model.mean.value
