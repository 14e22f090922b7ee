"""Synchronises its statistics over every axis it is mapped over, so lanes that belong to nobody else are mixed."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("vmap-agrees",)
MIN_FLAX = "0.10.7"


@jax.custom_batching.custom_vmap
def _mean_over_lanes(x):
    return x


@_mean_over_lanes.def_vmap
def _rule(axis_size, in_batched, x):
    return jnp.broadcast_to(x.mean(), x.shape), True


class Synchronised(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        new = jnp.asarray(x).mean()
        new = _mean_over_lanes(new)
        self.mean[...] = 0.5 * self.mean[...] + 0.5 * new
        return x - self.mean[...]


subject = {"make": lambda rngs: Synchronised(), "inputs": (np.arange(3, dtype=np.float32),)}
