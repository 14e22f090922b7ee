"""The options that all strategies for arrays share: dtype, elements, and host or device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from .._validation import misuse, strategy
from .domains import Domain, domain
from .recipes import Recipe, given_recipe, own_recipe

if TYPE_CHECKING:
    import jax
    from numpy.typing import DTypeLike


def recipe(dtype: DTypeLike, *, elements: st.SearchStrategy[Any] | None, allowed: dict[str, bool]) -> Recipe:
    """The recipe for arrays of `dtype`.

    Args:
        dtype: bool, any integer dtype, float16, bfloat16, float32 or float64.
        elements: draws the elements; None for the default of the dtype.
        allowed: the three options `allow_nan`, `allow_infinity` and `allow_subnormal`.

    Raises:
        InvalidArgument: if `dtype` is not supported, `elements` is no strategy or comes with an option that is set, or
            an option is set for a dtype without such numbers.
    """
    kind = domain(dtype)
    specials = _specials(kind, allowed)
    if elements is None:
        return own_recipe(kind, specials=specials)
    strategy("elements", elements, example="st.floats(-1, 1)")
    if specials:
        fix = "Leave the option out, and have `elements` draw such numbers."
        raise misuse(expected="no allow_ option beside it", name="elements", value=elements, fix=fix)
    return given_recipe(kind, elements=elements)


def on_device(host: st.SearchStrategy[np.ndarray[Any, Any]], *, dtype: DTypeLike) -> st.SearchStrategy[jax.Array]:
    """The arrays of `host`, which have this dtype, as JAX arrays on the default device.

    Raises:
        InvalidArgument: if `dtype` has 64 bits and `jax_enable_x64` is not set.
    """
    import jax

    if domain(dtype).dtype.itemsize == 8 and not _has_x64(jax.config):
        fix = "Pass a 32-bit dtype, or call jax.config.update('jax_enable_x64', True) first."
        raise misuse(expected="a dtype that JAX keeps", name="dtype", value=dtype, fix=fix)
    return host.map(_copied_to_device)


def _specials(kind: Domain, allowed: dict[str, bool]) -> list[float]:
    numbers = {
        "allow_nan": [float("nan")],
        "allow_infinity": [float("inf"), float("-inf")],
        "allow_subnormal": [kind.subnormal, -kind.normal / 2],
    }
    options = [name for name in numbers if allowed[name]]
    if options and not kind.floating:
        fix = f"Leave {options[0]} out, or pass dtype=np.float32."
        raise misuse(expected=f"no such option for dtype {kind.dtype}", name=options[0], value=True, fix=fix)
    return [number for name in options for number in numbers[name]]


def _has_x64(config: Any) -> bool:
    return bool(config.jax_enable_x64)  # JAX adds the attribute at run time, so type checkers do not know it


def _copied_to_device(x: np.ndarray[Any, Any]) -> jax.Array:
    import jax.numpy as jnp

    # `array` copies; `asarray` shares the memory of its source on older JAX.
    return jnp.array(x)
