"""Recurrent cells of Flax, and the modules that run them over a sequence."""

from __future__ import annotations

import numpy as np
from flax import nnx

from subjects import Case

X = np.cos(np.arange(6, dtype=np.float32)).reshape(2, 3)
STATE = np.linspace(-0.5, 0.5, 8, dtype=np.float32).reshape(2, 4)
SEQUENCE = np.cos(np.arange(2 * 5 * 3, dtype=np.float32)).reshape(2, 5, 3)


def cell(kind: str, carry: object) -> dict[str, object]:
    """A cell with three inputs and four hidden units, called on a carry and one input."""
    return {"make": lambda rngs: getattr(nnx, kind)(3, 4, rngs=rngs), "inputs": [(carry, X)]}


CASES = [
    Case(name="LSTMCell", subject=cell("LSTMCell", (STATE, -STATE)), min_flax="0.10.7"),
    Case(name="OptimizedLSTMCell", subject=cell("OptimizedLSTMCell", (STATE, -STATE)), min_flax="0.10.7"),
    Case(name="GRUCell", subject=cell("GRUCell", STATE), min_flax="0.10.7"),
    Case(name="SimpleCell", subject=cell("SimpleCell", STATE), min_flax="0.10.7"),
    Case(
        name="RNN of LSTMCell",
        subject={"make": lambda rngs: nnx.RNN(nnx.LSTMCell(3, 4, rngs=rngs), rngs=rngs), "inputs": [SEQUENCE]},
        min_flax="0.10.7",
    ),
    Case(
        name="RNN of GRUCell, reversed",
        subject={
            "make": lambda rngs: nnx.RNN(nnx.GRUCell(3, 4, rngs=rngs), reverse=True, keep_order=True, rngs=rngs),
            "inputs": [SEQUENCE],
        },
        min_flax="0.10.7",
    ),
    Case(
        name="Bidirectional",
        subject={
            "make": lambda rngs: nnx.Bidirectional(
                nnx.RNN(nnx.GRUCell(3, 4, rngs=rngs), rngs=rngs),
                nnx.RNN(nnx.GRUCell(3, 4, rngs=rngs), rngs=rngs),
                rngs=rngs,
            ),
            "inputs": [SEQUENCE],
        },
        min_flax="0.10.7",
    ),
]
