"""The mean of `flax.linen.BatchNorm`."""

import jax
import jax.numpy as jnp
from flax import linen as nn


def running_mean(seed, batches, momentum):
    norm = nn.BatchNorm(use_running_average=False, momentum=momentum)
    variables = norm.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]))
    for batch in batches:
        _, updated = norm.apply(variables, jnp.asarray(batch, jnp.float32), mutable=["batch_stats"])
        variables = {"params": variables["params"], "batch_stats": updated["batch_stats"]}
    return variables["batch_stats"]["mean"]
