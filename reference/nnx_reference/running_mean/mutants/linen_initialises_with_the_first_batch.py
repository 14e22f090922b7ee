"""Calls `init` with the first batch, and without any step there is none."""

import jax
import jax.numpy as jnp
from flax import linen as nn

CATCHES = ("no-steps",)


class RunningMean(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        mean = self.variable("batch_stats", "mean", jnp.zeros, batch.shape[-1])
        if not self.is_initializing():
            mean.value = self.momentum * mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum)
    variables = model.init(jax.random.key(int(seed)), jnp.asarray(batches[0], jnp.float32))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stats"])
        variables = {**variables, **updated}
    return variables["batch_stats"]["mean"]
