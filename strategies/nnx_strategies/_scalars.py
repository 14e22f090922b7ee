"""Whole numbers as scalars of several types: seeds and call counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from hypothesis import strategies as st

from ._validation import bounds, misuse
from ._whole_numbers import (
    Way,
    among,
    at_ends,
    even,
    index,
    indices,
    logarithmic,
    plain,
    powers_of_two,
    whole_numbers,
)

if TYPE_CHECKING:
    import jax

    Scalar: TypeAlias = float | int | np.generic | jax.Array

Kind = Literal["float", "int", "numpy", "jax"]

# The whole numbers that each kind holds exactly. JAX scalars are at most 32 bits wide unless 64-bit types are enabled.
_EXACT = {
    "float": range(-(2**53), 2**53 + 1),
    "numpy": range(-(2**63), 2**64),
    "jax": range(-(2**31), 2**32),
}
_NUMPY_DTYPES = ("float64", "int64", "float32", "int32", "uint32", "uint64")
_JAX_DTYPES = ("float32", "int32", "uint32")

# Seeds that break code: signs, the ends of int32 and uint32, 16-bit halves, and the last odd number that float32 holds.
_SEED_LANDMARKS = (0, 1, 2**16, 2**24 - 1, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -1)


def seeds(
    *, min_value: int = 0, max_value: int = 2**32 - 1, kind: Kind = "float", ends: bool = False
) -> st.SearchStrategy[Scalar]:
    """Whole numbers for a random number generator, as floats by default.

    They are ends of the range, ends of the integer types, powers of two and their neighbours, small numbers, and any
    numbers, both evenly and by magnitude. Shrinks to the number nearest to 0.

    Args:
        min_value: smallest seed.
        max_value: largest seed, included.
        kind: `"float"` and `"int"` for Python's, `"numpy"` for a NumPy scalar of a drawn dtype, `"jax"` for a
            `jax.Array` of shape `[]` and dtype float32, int32 or uint32. Every dtype holds its value exactly.
        ends: whether to draw only the two ends of the range, with the same draws; for `corners`.

    Returns:
        A strategy for scalars `s` with `min_value <= s <= max_value` and no fractional part.

    Raises:
        InvalidArgument: if a bound is no int or `kind` cannot hold it, `max_value < min_value`, or `kind` is unknown.
    """
    numbers = bounds(low=min_value, high=max_value, names=("min_value", "max_value"))
    landmarks = among(numbers, (numbers[0], *_SEED_LANDMARKS, numbers[-1]))
    powers, small = among(numbers, powers_of_two(bits=64)), among(numbers, range(-16, 17))
    ends_of = at_ends(numbers)
    ways = _repeated(
        *((plain(numbers), 2), (ends_of, 4), (landmarks, 8), (powers, 3), (small, 3)),
        *((logarithmic(numbers), 3), (even(numbers), 2)),
    )
    return _scalars(numbers, ways=[ends_of] * len(ways) if ends else ways, kind=kind, purpose="seeds")


def call_counts(
    *, min_value: int = 1, max_value: int = 64, kind: Kind = "float", ends: bool = False
) -> st.SearchStrategy[Scalar]:
    """Numbers of calls, as floats by default.

    Most are small, because every call costs time: by default half are 5 or less, and the mean is below 16. Both ends,
    powers of two and their neighbours are frequent, and every number in the range is possible. Shrinks to `min_value`.

    Args:
        min_value: smallest count; >= 0.
        max_value: largest count, included.
        kind, ends: as for `seeds`.

    Returns:
        A strategy for scalars `n` with `min_value <= n <= max_value` and no fractional part.

    Raises:
        InvalidArgument: if a bound is no int or `kind` cannot hold it, `min_value < 0`, `max_value < min_value`, or
            `kind` is unknown.
    """
    numbers = bounds(low=min_value, high=max_value, names=("min_value", "max_value"), least=0)
    small = among(numbers, range(numbers[0], numbers[0] + 8))
    ends_of = at_ends(numbers)
    powers = among(numbers, powers_of_two(bits=64))
    ways = _repeated((plain(numbers), 2), (small, 13), (ends_of, 1), (powers, 3))
    return _scalars(numbers, ways=[ends_of] * len(ways) if ends else ways, kind=kind, purpose="call_counts")


def _repeated(*weighted: tuple[Way, int]) -> list[Way]:
    return [way for way, times in weighted for _ in range(times)]


def _scalars(numbers: range, *, ways: list[Way], kind: Kind, purpose: str) -> st.SearchStrategy[Scalar]:
    _check_kind(kind, numbers)
    values = whole_numbers(numbers, ways=ways, purpose=purpose)
    match kind:
        case "float":
            return st.builds(float, values)
        case "numpy":
            choice = indices(len(_NUMPY_DTYPES), purpose=f"dtype of {purpose}")
            return st.builds(_numpy_scalar, values, choice)
        case "jax":
            choice = indices(len(_JAX_DTYPES), purpose=f"dtype of {purpose}")
            return st.builds(_jax_scalar, values, choice)
    return values


def _check_kind(kind: Kind, numbers: range) -> None:
    if kind not in get_args(Kind):
        kinds = ", ".join(repr(known) for known in get_args(Kind))
        raise misuse(expected=f"one of {kinds}", name="kind", value=kind, fix="Pass kind='float'.")
    exact = _EXACT.get(kind, numbers)
    for name, value in (("min_value", numbers[0]), ("max_value", numbers[-1])):
        if value not in exact:
            expected = f"a bound in [{exact[0]}, {exact[-1]}], which kind={kind!r} holds exactly,"
            fix = f"Pass {name}={min(max(value, exact[0]), exact[-1])}, or kind='int'."
            raise misuse(expected=expected, name=name, value=value, fix=fix)


def _numpy_scalar(value: int, choice: int) -> np.generic:
    exact = [name for name in _NUMPY_DTYPES if _holds(np.dtype(name), value)]
    scalar: np.generic = np.dtype(exact[index(choice) % len(exact)]).type(value)
    return scalar


def _jax_scalar(value: int, choice: int) -> jax.Array:
    import jax.numpy as jnp

    exact = [name for name in _JAX_DTYPES if _holds(np.dtype(name), value)]
    return jnp.array(np.array(value, dtype=exact[index(choice) % len(exact)]))


def _holds(dtype: np.dtype[Any], value: int) -> bool:
    if dtype.kind == "f":
        return int(dtype.type(value)) == value
    limits = np.iinfo(dtype.name)
    return int(limits.min) <= value <= int(limits.max)
