"""One-dimensional arrays, on the host and as JAX arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from .contents import on_device, recipe
from .lengths import lengths
from .recipes import arrays

if TYPE_CHECKING:
    import jax
    from numpy.typing import DTypeLike


def host_vectors(
    *,
    min_size: int = 1,
    max_size: int | None = None,
    dtype: DTypeLike = np.float32,
    elements: st.SearchStrategy[Any] | None = None,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    allow_subnormal: bool = False,
    pool_seed: int = 0,
    ends: bool = False,
) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """One-dimensional NumPy arrays whose lengths cost few compilations and whose contents follow a profile.

    Lengths are those of `lengths`. The profiles are: zeros and ones, one value throughout, ties, sorted, alternating
    signs, exact and nearly exact cancellation, one sign only, all different, at the bound, tiny, large next to small,
    and ordinary numbers; a few elements may then be overwritten. Beyond 13 elements a drawn pattern repeats. Shrinks to
    `[0]` of length `min_size`.

    Args:
        min_size: shortest length; >= 0.
        max_size: longest length, included; `min_size + 1023` if None.
        dtype: bool, any integer dtype, float16, bfloat16, float32 or float64.
        elements: draws the elements. By default floats are finite and normal, or zero of either sign, with magnitudes
            up to 1e6 (8188 for float16), and integers are in `[-10000, 10000]` as far as the dtype allows.
        allow_nan: whether NaN is frequent among the elements.
        allow_infinity: whether both infinities are, also together.
        allow_subnormal: whether subnormal numbers are. XLA on CPU flushes them to zero.
        pool_seed, ends: select the lengths, as for `lengths`.

    Returns:
        A strategy for arrays of shape `[n]`, `min_size <= n <= max_size`, of `dtype`; each one is new and writable.

    Raises:
        InvalidArgument: if a size is no int or out of order, `dtype` is not supported, `elements` is no strategy or
            comes with an `allow_` option, or an `allow_` option is given for a dtype without such numbers. While
            drawing: if `dtype` cannot hold an element.
    """
    sizes = lengths(min_size=min_size, max_size=max_size, pool_seed=pool_seed, ends=ends)
    allowed = {"allow_nan": allow_nan, "allow_infinity": allow_infinity, "allow_subnormal": allow_subnormal}
    return arrays(sizes=sizes, recipe=recipe(dtype, elements=elements, allowed=allowed))


def vectors(
    *,
    min_size: int = 1,
    max_size: int | None = None,
    dtype: DTypeLike = np.float32,
    elements: st.SearchStrategy[Any] | None = None,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    allow_subnormal: bool = False,
    pool_seed: int = 0,
    ends: bool = False,
) -> st.SearchStrategy[jax.Array]:
    """One-dimensional JAX arrays whose lengths cost few compilations and whose contents follow a profile.

    The arrays of `host_vectors`, with the same arguments, on the default device. Shrinks to `[0]` of length
    `min_size`.

    Args:
        min_size: shortest length; >= 0.
        max_size: longest length, included; `min_size + 1023` if None.
        dtype: as for `host_vectors`, but 64-bit dtypes only if `jax_enable_x64` is set.
        elements: as for `host_vectors`.
        allow_nan: as for `host_vectors`.
        allow_infinity: as for `host_vectors`.
        allow_subnormal: as for `host_vectors`.
        pool_seed, ends: as for `host_vectors`.

    Returns:
        A strategy for arrays of shape `[n]`, `min_size <= n <= max_size`, of exactly `dtype`, on the default device.

    Raises:
        InvalidArgument: as for `host_vectors`, and if `dtype` has 64 bits and `jax_enable_x64` is not set.
    """
    host = host_vectors(
        min_size=min_size,
        max_size=max_size,
        dtype=dtype,
        elements=elements,
        allow_nan=allow_nan,
        allow_infinity=allow_infinity,
        allow_subnormal=allow_subnormal,
        pool_seed=pool_seed,
        ends=ends,
    )
    return on_device(host, dtype=dtype)
