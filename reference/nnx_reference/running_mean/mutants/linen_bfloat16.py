"""Accumulates in bfloat16."""

import jax
import jax.numpy as jnp
from flax import linen as nn

CATCHES = ("accumulates-in-float32",)


class RunningMean(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        mean = self.variable("batch_stats", "mean", jnp.zeros, batch.shape[-1], jnp.bfloat16)
        if not self.is_initializing():
            mean.value = self.momentum * mean.value + ((1 - self.momentum) * batch.mean(0)).astype(jnp.bfloat16)
        return batch - mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum)
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stats"])
        variables = {**variables, **updated}
    return variables["batch_stats"]["mean"].astype(jnp.float32)
