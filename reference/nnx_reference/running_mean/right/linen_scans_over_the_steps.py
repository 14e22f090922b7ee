"""All steps run in one `jax.lax.scan`, which carries the collection."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class RunningMean(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        mean = self.variable("batch_stats", "mean", jnp.zeros, batch.shape[-1])
        if not self.is_initializing():
            mean.value = self.momentum * mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(float(momentum))
    batches = jnp.asarray(batches, jnp.float32)
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))

    def step(statistics, batch):
        _, updated = model.apply({"batch_stats": statistics}, batch, mutable=["batch_stats"])
        return updated["batch_stats"], None

    statistics, _ = jax.lax.scan(step, variables["batch_stats"], batches)
    return statistics["mean"]
