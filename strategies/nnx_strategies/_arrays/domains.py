"""Domains: the numbers that elements of a dtype are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import misuse

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_MAGNITUDE = 1e6
_WHOLE_MAGNITUDE = 10_000
_INTEGERS = ("int32", "int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64")
# The largest ordinary magnitude, the smallest normal and the smallest subnormal number; by name, because NumPy's finfo
# does not know bfloat16. The magnitude is 1e6 or the nearest number below it, and for float16 an eighth of the largest
# number, so that short sums stay finite.
_FLOATS = {
    "float16": (8188.0, 2.0**-14, 2.0**-24),
    "bfloat16": (999_424.0, 2.0**-126, 2.0**-133),
    "float32": (_MAGNITUDE, 2.0**-126, 2.0**-149),
    "float64": (_MAGNITUDE, 2.0**-1022, 2.0**-1074),
}


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The numbers of a dtype: ordinary elements are in `[-bound, bound]`, or in `[0, bound]` if unsigned."""

    dtype: np.dtype[Any]
    bound: float
    floating: bool
    signed: bool = True
    normal: float = 0.0
    subnormal: float = 0.0

    @property
    def boolean(self) -> bool:
        """Whether the elements are truth values."""
        return self.dtype.kind == "b"

    def cast(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Float64 `values` of any shape in this dtype, clipped to the bound and without subnormal numbers."""
        if self.boolean:
            return np.asarray(values != 0)
        if not self.signed:
            values = np.abs(values)
        values = np.clip(values, -self.bound, self.bound)
        if not self.floating:
            return np.asarray(np.rint(values), dtype=self.dtype)
        # XLA on CPU flushes subnormals, so a sum of them would differ from NumPy's although the tested code is right.
        return np.asarray(np.where(np.abs(values) < self.normal, 0.0, values), dtype=self.dtype)


def domain(dtype: DTypeLike) -> Domain:
    """The domain of `dtype`.

    Raises:
        InvalidArgument: if `dtype` is no boolean, integer, float16, bfloat16, float32 or float64 dtype.
    """
    known = _dtype(dtype)
    name = known.name if known is not None else ""
    if known is not None and name in _FLOATS:
        bound, normal, subnormal = _FLOATS[name]
        return Domain(dtype=known, bound=bound, floating=True, normal=normal, subnormal=subnormal)
    if known is not None and name in _INTEGERS:
        bound = min(_WHOLE_MAGNITUDE, int(np.iinfo(name).max))
        return Domain(dtype=known, bound=bound, floating=False, signed=known.kind == "i")
    if known is not None and name == "bool":
        return Domain(dtype=known, bound=1.0, floating=False, signed=False)
    expected = f"bool or one of {', '.join((*_FLOATS, *_INTEGERS))}"
    raise misuse(expected=expected, name="dtype", value=dtype, fix="Pass dtype=np.float32.")


def _dtype(dtype: Any) -> np.dtype[Any] | None:
    if dtype is None:  # NumPy takes None for float64, which no caller means
        return None
    if dtype == "bfloat16":
        import ml_dtypes  # a dependency of JAX

        dtype = ml_dtypes.bfloat16
    try:
        known: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        return None
    return known.newbyteorder("=") if known.kind in "biuf" else known
