"""The statistic is made in `setup`, beside a Dense layer that has parameters."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class RunningMean(nn.Module):
    momentum: float

    features: int

    def setup(self):
        self.dense = nn.Dense(self.features)
        self.mean = self.variable("statistics", "mean", lambda: jnp.zeros(self.features))

    def __call__(self, batch):
        if not self.is_initializing():
            self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * batch.mean(0)
        return self.dense(batch)


def running_mean(seed, batches, momentum):
    model = RunningMean(momentum, batches.shape[2])
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["statistics"])
        variables = {**variables, **updated}
    return variables["statistics"]["mean"]
