"""The collection holds a dataclass of moments; the mean is a field of it."""

import flax
import jax
import jax.numpy as jnp
from flax import linen as nn


@flax.struct.dataclass
class Moments:
    mean: jax.Array
    square: jax.Array


class Norm(nn.Module):
    momentum: float

    @nn.compact
    def __call__(self, batch):
        features, m = batch.shape[-1], self.momentum
        stats = self.variable("batch_stats", "moments", lambda: Moments(jnp.zeros(features), jnp.zeros(features)))
        if not self.is_initializing():
            now = stats.value
            mean = m * now.mean + (1 - m) * batch.mean(0)
            stats.value = Moments(mean, m * now.square + (1 - m) * (batch * batch).mean(0))
        return batch - stats.value.mean


def running_mean(seed, batches, momentum):
    model = Norm(momentum)
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))
    for batch in batches:
        _, updated = model.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stats"])
        variables = {**variables, **updated}
    return variables["batch_stats"]["moments"].mean
