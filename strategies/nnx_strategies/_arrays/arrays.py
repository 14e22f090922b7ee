"""Arrays of any rank, on the host and as JAX arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from .._validation import misuse
from .contents import on_device, recipe
from .recipes import arrays_of_any_rank
from .shapes import Shape, shapes

if TYPE_CHECKING:
    import jax
    from numpy.typing import DTypeLike


def host_arrays(
    *,
    shape: Sequence[int] | st.SearchStrategy[Shape] | None = None,
    dtype: DTypeLike = np.float32,
    elements: st.SearchStrategy[Any] | None = None,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    allow_subnormal: bool = False,
    pool_seed: int = 0,
) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """NumPy arrays of any rank whose shapes cost few compilations and whose contents follow a profile.

    Contents are those of `host_vectors`, row by row. Shrinks to zeros of the simplest shape.

    Args:
        shape: a shape, such as `(2, 3)`, or a strategy for shapes; `shapes()` if None.
        dtype: as for `host_vectors`.
        elements: as for `host_vectors`.
        allow_nan: as for `host_vectors`.
        allow_infinity: as for `host_vectors`.
        allow_subnormal: as for `host_vectors`.
        pool_seed: selects the shapes, as for `shapes`; it has no effect together with `shape`.

    Returns:
        A strategy for arrays of a shape from `shape`, of `dtype`; each one is new and writable.

    Raises:
        InvalidArgument: if `shape` is neither a sequence of ints >= 0 nor a strategy, and as for `host_vectors`. While
            drawing: if `dtype` cannot hold an element, or a drawn shape is no shape.
    """
    allowed = {"allow_nan": allow_nan, "allow_infinity": allow_infinity, "allow_subnormal": allow_subnormal}
    contents = recipe(dtype, elements=elements, allowed=allowed)
    return arrays_of_any_rank(shapes=_shapes(shape, pool_seed), recipe=contents)


def arrays(
    *,
    shape: Sequence[int] | st.SearchStrategy[Shape] | None = None,
    dtype: DTypeLike = np.float32,
    elements: st.SearchStrategy[Any] | None = None,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    allow_subnormal: bool = False,
    pool_seed: int = 0,
) -> st.SearchStrategy[jax.Array]:
    """JAX arrays of any rank whose shapes cost few compilations and whose contents follow a profile.

    The arrays of `host_arrays`, with the same arguments, on the default device.

    Args:
        shape: as for `host_arrays`.
        dtype: as for `host_arrays`, but 64-bit dtypes only if `jax_enable_x64` is set.
        elements: as for `host_vectors`.
        allow_nan: as for `host_vectors`.
        allow_infinity: as for `host_vectors`.
        allow_subnormal: as for `host_vectors`.
        pool_seed: as for `host_arrays`.

    Returns:
        A strategy for arrays of a shape from `shape`, of exactly `dtype`, on the default device.

    Raises:
        InvalidArgument: as for `host_arrays`, and if `dtype` has 64 bits and `jax_enable_x64` is not set.
    """
    host = host_arrays(
        shape=shape,
        dtype=dtype,
        elements=elements,
        allow_nan=allow_nan,
        allow_infinity=allow_infinity,
        allow_subnormal=allow_subnormal,
        pool_seed=pool_seed,
    )
    return on_device(host, dtype=dtype)


def _shapes(shape: Any, pool_seed: int) -> st.SearchStrategy[Shape]:
    if shape is None:
        return shapes(pool_seed=pool_seed)
    if isinstance(shape, st.SearchStrategy):
        return shape.map(_shape)
    return st.just(_shape(shape))


def _shape(value: Any) -> Shape:
    """`value` as a tuple of ints >= 0."""
    sides = tuple(value) if isinstance(value, (tuple, list)) else (None,)
    if all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) and side >= 0 for side in sides):
        return tuple(int(side) for side in sides)
    fix = f"Pass shape=({value},)." if type(value) is int and value >= 0 else "Pass a shape, such as shape=(2, 3)."
    raise misuse(expected="a tuple of ints >= 0, or a strategy of such,", name="shape", value=value, fix=fix)
