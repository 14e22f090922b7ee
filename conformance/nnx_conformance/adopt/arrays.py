"""Arrays as Python expressions: seeded draws of the same shape, dtype and range, or their values if these matter."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from nnx_conformance.adopt.records import SEED, Expression, quoted

#: The most numbers of an array in an expression; a larger one goes into a file.
LITERAL = 24
#: The largest array that we keep, in bytes.
LARGEST = 1 << 18


class NotWritable(Exception):
    """A value that we can write no expression for; the message says what it is."""


def of_shape(value: Any, shape: str) -> Expression:
    """The expression for a tracer, whose numbers are not known: a draw, or zeros for integers: valid indices."""
    dtype, sizes = np.dtype(value.dtype), tuple(value.shape)
    if jnp.issubdtype(dtype, jnp.inexact):
        return Expression(_floats(sizes, -1.0, 1.0, dtype), frozenset({"numpy"}), shape=shape, traced=True)
    text = f"np.zeros({sizes!r}, {quoted(dtype.name)})"
    return Expression(text, frozenset({"numpy"}), shape=shape, traced=True)


def of_values(array: np.ndarray[Any, Any], shape: str) -> Expression:
    """The expression for an array: a draw of its shape, dtype and range, or its values if these matter.

    Args:
        array: of any shape.
        shape: the `Expression.shape` of the result.

    Raises:
        NotWritable: if its values matter and it is too large, or it has no numbers.
    """
    numpy = frozenset({"numpy"})
    dtype = array.dtype.name
    if array.dtype == object or array.dtype.names:
        raise NotWritable(f"an array of dtype {array.dtype}")
    if array.size and (array == array.flat[0]).all() and array.size > 1:
        same = array.flat[0].item()
        if math.isfinite(same):
            known = {0: "zeros", 1: "ones"}.get(same)
            call = f"np.{known}({array.shape!r}, " if known else f"np.full({array.shape!r}, {same!r}, "
            return Expression(f"{call}{quoted(dtype)})", numpy, shape=shape)
    floating = jnp.issubdtype(array.dtype, jnp.floating)
    few = array.size <= LITERAL
    if floating and array.size > 1 and np.isfinite(array).all() and len(np.unique(array)) > 2:
        text = _floats(array.shape, float(array.min()), float(array.max()), array.dtype)
        return Expression(text, numpy, shape=shape)
    if few and dtype != "object" and (not floating or np.isfinite(array).all()):
        return Expression(f"np.array({array.tolist()!r}, {quoted(dtype)})", numpy, shape=shape)
    if array.nbytes > LARGEST:
        raise NotWritable(f"an array of {array.nbytes} bytes whose values matter")
    key = f"{dtype}_{hashlib.sha256(array.tobytes()).hexdigest()[:8]}"
    return Expression(f"ARRAYS[{quoted(key)}]", numpy, ((key, array),), shape=shape)


def _floats(shape: tuple[int, ...], low: float, high: float, dtype: np.dtype[Any]) -> str:
    bounds = f"{float(f'{low:.3g}')!r}, {float(f'{high:.3g}')!r}"
    kind = "" if dtype.name == "float32" else f", dtype={quoted(dtype.name)}"
    return f"floats({shape!r}, {bounds}, seed={SEED}{kind})"
