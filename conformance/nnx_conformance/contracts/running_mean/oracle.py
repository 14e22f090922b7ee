"""The expected running mean in float64, with the error bound of float32 arithmetic. Never sent to a candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts.sums import FLUSHED, UNIT
from nnx_conformance.core.claim import Claim, near

#: The roundings of one update. `m*mean + (1-m)*batch` rounds `1-m`, `m`, two products and a sum;
#: `mean + (1-m)*(batch-mean)` rounds `1-m`, a difference, a product and a sum. One more covers terms of higher order.
ROUNDINGS = 6


@dataclass(frozen=True, eq=False)
class Means:
    """The mean before the first step and after each, and their error bounds; both of shape `[steps + 1, features]`."""

    values: np.ndarray
    bounds: np.ndarray

    def near(self, array: np.ndarray, step: int = -1) -> Claim:
        """The claim that an array is the mean after a step, within its bound; NaN equals NaN."""
        return near(array.ravel(), self.values[step], self.bounds[step])


def running(batches: np.ndarray, momentum: float, start: np.ndarray | None = None) -> Means:
    """The means of `mean <- momentum * mean + (1 - momentum) * batch.mean(0)`.

    The mean of n numbers in any order is off by at most (n+2)·u/(1-(n+2)·u) of the mean of their absolute values (n-1
    sums, a quotient or a product with a rounded 1/n; Higham, Accuracy and Stability of Numerical Algorithms, section
    4.2). An update adds an error of at most `ROUNDINGS`·u of its terms, and scales the error so far by `momentum`.
    The unit u is that of float32, or of the dtype of `batches` if that is coarser.

    Args:
        batches: shape `[steps, batch, features]`, any real dtype.
        momentum: in [0, 1).
        start: the mean before the first step, shape `[features]`; zeros if None.
    """
    unit = max(UNIT["float32"], UNIT.get(batches.dtype.name, 0.0) if batches.dtype.kind not in "iub" else 0.0)
    _, count, features = batches.shape
    relative = (count + 2) * unit / (1 - (count + 2) * unit)
    flushed = (count + ROUNDINGS) * max(FLUSHED["float32"], FLUSHED.get(batches.dtype.name, 0.0))
    values, bounds = [np.zeros(features) if start is None else start.astype(np.float64)], [np.zeros(features)]
    for batch in batches.astype(np.float64):
        mean = batch.mean(axis=0)
        error = relative * np.abs(batch).mean(axis=0) + flushed
        carried = momentum * bounds[-1] + (1 - momentum) * error
        added = ROUNDINGS * unit * (np.abs(values[-1]) + bounds[-1] + np.abs(mean) + error)
        bounds.append(carried * (1 + ROUNDINGS * unit) + added + flushed)
        values.append(momentum * values[-1] + (1 - momentum) * mean)
    return Means(np.stack(values), np.stack(bounds))
