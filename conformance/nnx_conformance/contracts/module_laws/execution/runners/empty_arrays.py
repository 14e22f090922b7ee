"""Makes `empty` and `empty_like` return garbage or zeros. Scripts of findings may contain these functions.

From JAX 0.11 on, `jnp.empty` does not promise zeros (https://github.com/jax-ml/jax/pull/36741). On a CPU it still
mostly returns them, so a module that relies on zeros works until it runs elsewhere. NumPy never promised zeros.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

T = TypeVar("T")

EMPTIES = ((jnp, "empty"), (jnp, "empty_like"), (jax.lax, "empty"), (np, "empty"), (np, "empty_like"))
#: Libraries that write to what they allocate. Their own calls of `empty` stay as they are.
LIBRARIES = ("jax", "jaxlib", "numpy", "ml_dtypes", "scipy")


def with_garbage(run: Callable[[], Any]) -> Any:
    """What a function returns while arrays that nothing has written hold NaN, or numbers as useless."""
    return with_empties(run, garbage)


def with_zeros(run: Callable[[], Any]) -> Any:
    """What a function returns while they hold zeros: without, they may get the very memory that held the garbage."""
    return with_empties(run, lambda array: np.zeros_like(array) if isinstance(array, np.ndarray) else array * 0)


def with_empties(run: Callable[[], T], change: Callable[[Any], Any]) -> T:
    """What a function returns while `change` makes of each array of `empty` and `empty_like` what these return."""
    known = [getattr(owner, name) for owner, name in EMPTIES if hasattr(owner, name)]
    others = [giving(function, change) for function in known]
    places = [
        (module, name, at)
        for module in [jnp, jax.lax, np, *filter(own, list(sys.modules.values()))]
        for name, value in list(vars(module).items())
        for at, function in enumerate(known)
        if value is function
    ]
    for module, name, at in places:
        setattr(module, name, others[at])
    try:
        return run()
    finally:
        for module, name, at in places:
            setattr(module, name, known[at])


def own(module: Any) -> bool:
    """Whether a module is none of a library that allocates for others."""
    return isinstance(module, type(sys)) and str(module.__name__).partition(".")[0] not in LIBRARIES


def giving(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The same function, but for what code outside of those libraries gets from it."""

    def empty(*arguments: Any, **options: Any) -> Any:
        array = function(*arguments, **options)
        caller = str(sys._getframe(1).f_globals.get("__name__", "")).partition(".")[0]
        return array if caller in LIBRARIES else change(array)

    return empty


def garbage(array: Any) -> Any:
    """An array of this shape and dtype in which nothing is of use."""
    dtype = getattr(array, "dtype", np.dtype(object))
    if jnp.issubdtype(dtype, jnp.inexact):
        value: Any = jnp.nan
    elif jnp.issubdtype(dtype, jnp.integer):
        value = np.iinfo(dtype).max // 3
    elif jnp.issubdtype(dtype, jnp.bool_):
        value = True
    else:
        return array
    return np.full_like(array, value) if isinstance(array, np.ndarray) else jnp.full_like(array, value)
