"""Arrays as Python expressions: seeded draws of their shape, dtype and range, or themselves where values matter."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from nnx_conformance.adopt.records import SEED, Expression, quoted

#: An array of at most so many numbers stands in the expression itself; a larger one in a file beside it.
LITERAL = 24
#: The largest array that is kept, in bytes.
LARGEST = 1 << 18


class NotWritable(Exception):
    """A value that no expression gives; the message says what it is."""


def of_shape(value: Any, shape: str) -> Expression:
    """For a tracer: its numbers are not known, and those that any code takes for indices stand in for integers."""
    dtype, sizes = np.dtype(value.dtype), tuple(value.shape)
    if jnp.issubdtype(dtype, jnp.inexact):
        return Expression(_floats(sizes, -1.0, 1.0, dtype), frozenset({"numpy"}), shape=shape, traced=True)
    text = f"np.zeros({sizes!r}, {quoted(dtype.name)})"
    return Expression(text, frozenset({"numpy"}), shape=shape, traced=True)


def of_values(array: np.ndarray[Any, Any], shape: str) -> Expression:
    """For an array: a draw of its shape, dtype and range, or itself where its values matter.

    Args:
        array: of any shape.
        shape: what decides whether JAX compiles anew.

    Raises:
        NotWritable: if its values matter and it is too large, or it holds no numbers.
    """
    numpy = frozenset({"numpy"})
    dtype = array.dtype.name
    if array.dtype == object or array.dtype.names:
        raise NotWritable(f"an array of dtype {array.dtype}")
    if array.size and (array == array.flat[0]).all() and array.size > 1:
        same = array.flat[0].item()
        if math.isfinite(same):
            known = {0: "zeros", 1: "ones"}.get(same)
            made = f"np.{known}({array.shape!r}, " if known else f"np.full({array.shape!r}, {same!r}, "
            return Expression(f"{made}{quoted(dtype)})", numpy, shape=shape)
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
