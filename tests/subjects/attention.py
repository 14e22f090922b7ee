"""Attention of Flax, with its cache for decoding."""

from __future__ import annotations

from typing import Any

import numpy as np
from flax import nnx

from subjects import Case

TOKENS = np.cos(np.arange(2 * 3 * 4, dtype=np.float32)).reshape(2, 3, 4)


def decoder(rngs: nnx.Rngs) -> Any:
    """Attention that is called with one token at a time; its cache holds 64."""
    attention = nnx.MultiHeadAttention(num_heads=2, in_features=4, decode=True, rngs=rngs)
    attention.init_cache((2, 64, 4))
    return attention


CASES = [
    Case(
        name="MultiHeadAttention",
        subject={
            "make": lambda rngs: nnx.MultiHeadAttention(num_heads=2, in_features=4, decode=False, rngs=rngs),
            "inputs": [TOKENS],
        },
    ),
    Case(
        name="MultiHeadAttention with dropout",
        subject={
            "make": lambda rngs: nnx.MultiHeadAttention(
                num_heads=2, in_features=4, decode=False, dropout_rate=0.5, deterministic=False, rngs=rngs
            ),
            "inputs": [TOKENS],
            "traits": {"draws_randomness": True, "has_eval_mode": True},
        },
    ),
    Case(name="MultiHeadAttention, decoding", subject={"make": decoder, "inputs": [TOKENS[:, :1], TOKENS[:, 1:2]]}),
]
