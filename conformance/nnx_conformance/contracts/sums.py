"""The expected sum in float64, with the error bound of floating-point summation. Never sent to a candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nnx_conformance.core.facts import Value

#: Half the spacing of floats next to 1: the relative error of one rounding.
UNIT = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
#: The smallest normal numbers. XLA on CPU flushes subnormals to zero, so each operation may lose this much.
FLUSHED = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126, "float64": 2.0**-1022}


def rounding(value: Value | None) -> float:
    """The relative rounding error that the dtype of a result allows."""
    name = value.array.dtype.name if value is not None and value.array is not None else "float32"
    return 2 * UNIT.get(name, UNIT["float32"])


@dataclass(frozen=True)
class Sum:
    """The sum of an array, and the largest error of a right result; `value` may be NaN or infinite."""

    value: float
    bound: float


def expected_sum(x: np.ndarray) -> Sum:
    """The sum of `x`, with the bound (n-1)·u·Σ|xᵢ| of summation in any order, plus the rounding of the result.

    The unit u is that of float32, or of the dtype of `x` if that is coarser: `x.sum()` of float16 is float16. The
    first-order bound is divided by 1-(n-1)·u, which makes it a true bound (Higham, Accuracy and Stability of Numerical
    Algorithms, section 4.2).

    Args:
        x: shape `[n]`, any real dtype.
    """
    values = x.astype(np.float64).tolist()
    if not all(map(math.isfinite, values)):
        return Sum(_not_finite(values), 0.0)
    total, size = math.fsum(values), math.fsum(map(abs, values))
    unit = UNIT.get(x.dtype.name, UNIT["float32"]) if x.dtype.kind not in "iub" else UNIT["float32"]
    unit = max(unit, UNIT["float32"])
    terms = max(len(values) - 1, 0)
    gamma = terms * unit / (1 - terms * unit) if terms * unit < 0.5 else float("inf")
    summed = gamma * size
    flushed = len(values) * FLUSHED.get(x.dtype.name, FLUSHED["float32"])
    return Sum(total, summed + unit * (abs(total) + summed) + flushed)


def _not_finite(values: list[float]) -> float:
    if any(map(math.isnan, values)) or {math.inf, -math.inf} <= set(values):
        return math.nan
    return math.inf if math.inf in values else -math.inf
