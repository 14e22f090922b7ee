"""Says `mutable=["batch_stat"]`, and the collection is called "batch_stats"."""

import jax
import jax.numpy as jnp
from flax import linen as nn

CATCHES = ("returns-mean",)


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
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stat"])
        variables = {**variables, **updated}
    return variables["batch_stats"]["mean"]
