"""Puts the identity of the run into the names of its Variables, so that no later run can restore them.

Within one process all is well: every module that is made has the same names. Only who restores a checkpoint in a new
process, which is what checkpoints are for, finds no Variable of the name that was saved.
"""

import uuid

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)

RUN = uuid.uuid4().hex[:8]


class Meter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.totals = nnx.Dict({f"total_{RUN}": nnx.Variable(jnp.zeros(()))}) if hasattr(nnx, "Dict") else None
        if self.totals is None:
            self.totals = {f"total_{RUN}": nnx.Variable(jnp.zeros(()))}

    def __call__(self, x):
        total = self.totals[f"total_{RUN}"]
        total.value = total.value + x.sum()
        return x / (1.0 + jnp.abs(total.value))


subject = {
    "make": Meter,
    "inputs": [np.ones(3, np.float32), np.full(3, 2.0, np.float32)],
    "traits": {},
}
