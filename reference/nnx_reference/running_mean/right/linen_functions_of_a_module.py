"""Uses `nn.init` and `nn.apply`, which take a function and a module, instead of the module's own methods."""

import jax
import jax.numpy as jnp
from flax import linen as nn


class Mean(nn.Module):
    @nn.compact
    def __call__(self, batch, momentum):
        mean = self.variable("batch_stats", "mean", lambda: jnp.zeros(batch.shape[-1]))
        if not self.is_initializing():
            mean.value = momentum * mean.value + (1 - momentum) * batch.mean(0)
        return mean.value


def forward(module, batch, momentum):
    return module(batch, momentum)


def running_mean(seed, batches, momentum):
    start = jnp.zeros((1, batches.shape[-1]))
    variables = nn.init(forward, Mean())(jax.random.key(int(seed)), start, momentum)
    step = nn.apply(forward, Mean(), mutable=["batch_stats"])
    for batch in batches:
        _, updated = step(variables, jnp.asarray(batch), momentum)
        variables = {**variables, **updated}
    return variables["batch_stats"]["mean"]
