"""Names for a wrong sum: the mean, a part of the sum, the sum in another precision. A hint, not a judgement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

FURTHER_OFF = "further off than float32 summation in any order can be"
SOMEHOW = f"{FURTHER_OFF}: the candidate dropped, changed or rounded elements"
NOT_A_NUMBER = "no sum gives this: infinity times zero, zero divided by zero, or infinity minus infinity does"
INFINITE = "no sum gives this: a division by zero does, or a number beyond the range of its dtype"


def like(x: np.ndarray, n_calls: int, observed: float) -> str:
    """The cause of a wrong sum.

    Args:
        x: shape `[n]`.
        n_calls: how many calls the case asks for.
        observed: the wrong sum.
    """
    values = x.astype(np.float64)
    with np.errstate(invalid="ignore"):
        total = float(values.sum())
    if np.isnan(observed) and not np.isnan(total):
        return NOT_A_NUMBER
    if np.isinf(observed) and np.isfinite(total):
        return INFINITE
    if not np.isfinite(values).all():
        return SOMEHOW
    names = [name for name, value in _likenesses(values, n_calls) if _near(observed, value, values)]
    if not 1 <= len(names) <= 3:
        return SOMEHOW
    return f"{FURTHER_OFF}; it is {' or '.join(names)}"


def _near(observed: float, value: float, values: np.ndarray) -> bool:
    if not np.isfinite(value) or not np.isfinite(observed):
        return observed == value
    return bool(abs(observed - value) <= 1e-6 * max(1e-30, abs(value), float(np.abs(values).max(initial=0.0))))


def _likenesses(values: np.ndarray, n_calls: int) -> Iterator[tuple[str, float]]:
    total = float(values.sum())
    yield "the number of calls", float(n_calls)
    if values.size > 1:
        yield "the mean", total / values.size
        yield "the largest element", float(values.max())
        yield "the smallest element", float(values.min())
        yield "the sum without the last element", total - float(values[-1])
        yield "the sum without the first element", total - float(values[0])
        yield "the sum of distinct elements", float(np.unique(values).sum())
    yield "the sum of absolute values", float(np.abs(values).sum())
    yield "the sum with its sign changed", -total
    yield "the sum of what all calls returned", total * n_calls
    yield "the sum rounded to a whole number", float(np.round(total))
    yield "the sum cut to a whole number", float(np.trunc(total))
    yield "the sum in float16", _half(values)


def _half(values: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(values.astype(np.float16).sum(dtype=np.float16))
