"""Updates in `init`, too: the first batch counts twice."""

import jax
import jax.numpy as jnp
from flax import linen as nn

CATCHES = ("starts-from-zeros",)


class RunningMean(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        mean = self.variable("batch_stats", "mean", jnp.zeros, batch.shape[-1])
        mean.value = self.momentum * mean.value + (1 - self.momentum) * batch.mean(0)
        return batch - mean.value


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum)
    example = batches[0] if len(batches) else jnp.zeros(batches.shape[1:])
    variables = model.init(jax.random.key(int(seed)), jnp.asarray(example, jnp.float32))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stats"])
        variables = {**variables, **updated}
    return variables["batch_stats"]["mean"]
