"""Right: the way that Flax's guide shows for one stream a row; `StateAxes` exists in graph mode only."""

import numpy as np
from flax import nnx


class RowDropout(nnx.Module):
    def __init__(self, rngs):
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        @nnx.split_rngs(splits=x.shape[0])
        @nnx.vmap(in_axes=(nnx.StateAxes({nnx.RngState: 0, ...: None}), 0))
        def each(drop, row):
            return drop(row)

        return each(self.drop, x)


ROWS = np.linspace(-2, 3, 30, dtype=np.float32).reshape(5, 6)
subject = {"make": RowDropout, "inputs": [ROWS, np.cos(ROWS)], "traits": {"draws_randomness": True}}
