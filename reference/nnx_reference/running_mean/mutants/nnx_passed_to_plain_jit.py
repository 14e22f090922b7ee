"""Gives the module to a plain `jax.jit`, which drops what is written: or refuses it, before Flax 0.11."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("mean-follows-formula",)
MIN_FLAX = "0.11.0"


class RunningMean(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - self.mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    step = jax.jit(lambda model, batch: model(batch))
    for batch in batches:
        step(model, jnp.asarray(batch, jnp.float32))
    return model.mean.value
