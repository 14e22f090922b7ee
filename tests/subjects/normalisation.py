"""Normalisations of Flax, with running statistics and without."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from flax import nnx

from subjects import Case

ROWS = np.linspace(-1.5, 2, 12, dtype=np.float32).reshape(3, 4) ** 2
OTHER = np.cos(np.arange(12, dtype=np.float32)).reshape(3, 4)
IMAGE = np.cos(np.arange(2 * 4 * 4 * 4, dtype=np.float32)).reshape(2, 4, 4, 4)
#: `SpectralNorm` and `WeightNorm` put the normalised kernel into their layer's Param when they are called.
REWRITES = {"rewrites_param": True}

CASES = [
    Case(
        name="BatchNorm",
        subject={
            "make": lambda rngs: nnx.BatchNorm(4, rngs=rngs),
            "inputs": [ROWS, OTHER],
            "traits": {"has_eval_mode": True},
        },
    ),
    Case(
        name="BatchNorm in bfloat16",
        subject={
            "make": lambda rngs: nnx.BatchNorm(4, dtype=jnp.bfloat16, momentum=0.5, rngs=rngs),
            "inputs": [ROWS],
            "traits": {"has_eval_mode": True, "rtol": 2e-2, "atol": 2e-2},
        },
    ),
    Case(name="LayerNorm", subject={"make": lambda rngs: nnx.LayerNorm(4, rngs=rngs), "inputs": [ROWS]}),
    Case(name="RMSNorm", subject={"make": lambda rngs: nnx.RMSNorm(4, rngs=rngs), "inputs": [ROWS]}),
    Case(
        name="GroupNorm",
        subject={"make": lambda rngs: nnx.GroupNorm(4, num_groups=2, rngs=rngs), "inputs": [IMAGE]},
        min_flax="0.10",
    ),
    Case(
        name="InstanceNorm",
        subject={"make": lambda rngs: nnx.InstanceNorm(4, rngs=rngs), "inputs": [IMAGE]},
        min_flax="0.12",
    ),
    Case(
        name="SpectralNorm",
        subject={
            "make": lambda rngs: nnx.SpectralNorm(nnx.Linear(4, 3, rngs=rngs), rngs=rngs),
            "inputs": [ROWS],
            "call": lambda module, x: module(x, update_stats=True),
            "traits": REWRITES,
        },
        min_flax="0.12",
    ),
    Case(
        name="WeightNorm",
        subject={
            "make": lambda rngs: nnx.WeightNorm(nnx.Linear(4, 3, rngs=rngs), rngs=rngs),
            "inputs": [ROWS],
            "traits": REWRITES,
        },
        min_flax="0.12",
    ),
]
