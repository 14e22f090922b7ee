"""Leaves of a state: arrays of one shape and of any dtype of JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from .arrays import arrays, host_arrays
from .domains import domain
from .shapes import Shape

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

# Numbers that all floats of 8, 6 and 4 bits hold.
_FEW_BITS = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 4.0)


def leaves(*, shape: Shape, dtype: DTypeLike, host: bool = False) -> st.SearchStrategy[Any]:
    """Arrays of this shape and dtype; those of `arrays`, if it supports the dtype.

    Args:
        shape: the shape of all arrays.
        dtype: any dtype of JAX but random keys.
        host: whether to draw NumPy arrays.

    Raises:
        InvalidArgument: if the dtype holds no numbers.
    """
    name = str(dtype)
    if name.startswith("complex"):
        part = host_arrays(shape=shape, dtype="float32" if name == "complex64" else "float64")
        drawn = st.tuples(part, part).map(lambda parts: (parts[0] + 1j * parts[1]).astype(name))
    elif name.startswith(("float8", "float4", "float6")):
        drawn = host_arrays(shape=shape, elements=st.sampled_from(_FEW_BITS)).map(lambda x: _cast(x, dtype))
    elif name in ("int4", "uint4", "int2", "uint2"):
        bits, signed = int(name[-1]), name.startswith("int")
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        whole = host_arrays(shape=shape, dtype="int8", elements=st.integers(low, high))
        drawn = whole.map(lambda x: _cast(x, dtype))
    else:
        domain(dtype)  # raises if the dtype holds no numbers
        return host_arrays(shape=shape, dtype=dtype) if host else arrays(shape=shape, dtype=dtype)
    return drawn if host else drawn.map(_on_device)


def _cast(x: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    import ml_dtypes  # JAX depends on it

    return x.astype(getattr(ml_dtypes, str(dtype)))


def _on_device(x: np.ndarray[Any, Any]) -> Any:
    import jax.numpy as jnp

    return jnp.array(x)
