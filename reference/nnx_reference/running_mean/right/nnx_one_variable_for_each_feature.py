"""A Variable for each feature, each of a single number."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Means(nnx.Module):
    def __init__(self, features, momentum):
        self.features, self.momentum = features, momentum
        for feature in range(features):
            setattr(self, f"mean_{feature}", nnx.BatchStat(jnp.zeros(())))

    def __call__(self, batch):
        for feature, new in enumerate(batch.mean(0)):
            mean = getattr(self, f"mean_{feature}")
            mean.value = self.momentum * mean.value + (1 - self.momentum) * new
        return batch


def running_mean(seed, batches, momentum):
    model = Means(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return jnp.stack([getattr(model, f"mean_{feature}").value for feature in range(batches.shape[2])])
