"""One Variable holds a dict of moments; the mean is a part of it."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Moments(nnx.Module):
    def __init__(self, features, momentum):
        self.momentum = momentum
        self.moments = nnx.BatchStat({"mean": jnp.zeros(features), "square": jnp.zeros(features)})

    def __call__(self, batch):
        now, new, m = self.moments.value, {"mean": batch.mean(0), "square": (batch * batch).mean(0)}, self.momentum
        self.moments.value = {name: m * now[name] + (1 - m) * new[name] for name in now}
        return batch - self.moments.value["mean"]


def running_mean(seed, batches, momentum):
    model = Moments(batches.shape[2], momentum)
    for batch in batches:
        model(jnp.asarray(batch, jnp.float32))
    return model.moments.value["mean"]
