"""Layers of Flax that hold Params and nothing else, or a dropout at most."""

from __future__ import annotations

import numpy as np
from flax import nnx

from subjects import Case

ROWS = np.linspace(-1.5, 2, 12, dtype=np.float32).reshape(3, 4)
IMAGE = np.linspace(-1, 1, 2 * 5 * 5 * 3, dtype=np.float32).reshape(2, 5, 5, 3)
NOISY = {"draws_randomness": True, "has_eval_mode": True}

CASES = [
    Case(name="Linear", subject={"make": lambda rngs: nnx.Linear(4, 3, rngs=rngs), "inputs": [ROWS, ROWS[:1]]}),
    Case(
        name="LinearGeneral",
        subject={"make": lambda rngs: nnx.LinearGeneral(4, (2, 3), rngs=rngs), "inputs": [ROWS]},
    ),
    Case(
        name="Einsum",
        subject={"make": lambda rngs: nnx.Einsum("ab,bc->ac", (4, 3), (3,), rngs=rngs), "inputs": [ROWS]},
    ),
    Case(name="Conv", subject={"make": lambda rngs: nnx.Conv(3, 2, (3, 3), rngs=rngs), "inputs": [IMAGE]}),
    Case(
        name="ConvTranspose",
        subject={"make": lambda rngs: nnx.ConvTranspose(3, 2, (3, 3), rngs=rngs), "inputs": [IMAGE]},
    ),
    Case(
        name="Embed",
        subject={"make": lambda rngs: nnx.Embed(7, 3, rngs=rngs), "inputs": [np.array([[0, 6, 2]], np.int32)]},
    ),
    Case(name="PReLU", subject={"make": lambda rngs: nnx.PReLU(), "inputs": [ROWS]}, min_flax="0.12"),
    Case(
        name="Dropout",
        subject={"make": lambda rngs: nnx.Dropout(0.5, rngs=rngs), "inputs": [ROWS], "traits": NOISY},
    ),
    Case(
        name="Dropout, broadcast",
        subject={
            "make": lambda rngs: nnx.Dropout(0.5, broadcast_dims=(0,), rngs=rngs),
            "inputs": [ROWS],
            "traits": NOISY,
        },
    ),
    Case(
        name="Sequential",
        subject={
            "make": lambda rngs: nnx.Sequential(
                nnx.Linear(4, 4, rngs=rngs), nnx.relu, nnx.Dropout(0.5, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)
            ),
            "inputs": [ROWS],
            "traits": NOISY,
        },
    ),
    Case(
        name="LoRA",
        subject={"make": lambda rngs: nnx.LoRA(4, 2, 3, rngs=rngs), "inputs": [ROWS]},
        min_flax="0.10.7",  # on 0.8.5 it cannot be called on a NumPy array
    ),
    Case(
        name="LoRA around a Linear",
        subject={
            "make": lambda rngs: nnx.LoRA(4, 2, 3, base_module=nnx.Linear(4, 3, rngs=rngs), rngs=rngs),
            "inputs": [ROWS],
        },
        min_flax="0.10.7",
    ),
    Case(
        name="LoRALinear",
        subject={"make": lambda rngs: nnx.LoRALinear(4, 3, lora_rank=2, rngs=rngs), "inputs": [ROWS]},
        min_flax="0.10.7",
    ),
]
