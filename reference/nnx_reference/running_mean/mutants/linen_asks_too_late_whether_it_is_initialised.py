"""Asks `has_variable` after it has made the variable, so the answer is always yes: `init` updates, too."""

import jax
import jax.numpy as jnp
from flax import linen as nn

CATCHES = ("starts-from-zeros",)


class RunningMean(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        mean = self.variable("batch_stats", "mean", jnp.zeros, batch.shape[-1])
        if self.has_variable("batch_stats", "mean"):
            mean.value = self.momentum * mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum)
    variables = model.init(jax.random.key(int(seed)), jnp.ones(batches.shape[1:], jnp.float32))
    step = jax.jit(lambda variables, batch: model.apply(variables, batch, mutable=["batch_stats"])[1])
    for batch in batches:
        variables = step(variables, jnp.asarray(batch, jnp.float32))
    return variables["batch_stats"]["mean"]
