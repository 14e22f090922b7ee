"""Keys for JAX's random number generators, typed and old style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from hypothesis import strategies as st

from ._scalars import seeds
from ._validation import misuse
from ._whole_numbers import index, indices

if TYPE_CHECKING:
    import jax

Style = Literal["typed", "raw", "either"]
Impl = Literal["threefry2x32", "rbg", "unsafe_rbg"]

# How often a number is folded into a key. The first word of a key made from a seed below 2**32 is 0, so only derived
# keys show code that drops that word, or that takes a key for its seed.
_FOLDS = (0, 0, 1, 2)


def keys(*, style: Style = "typed", impl: Impl = "threefry2x32") -> st.SearchStrategy[jax.Array]:
    """Keys for JAX's random number generators.

    Half of them are made from `seeds()` directly, the others are derived from such keys once or twice, as by `split`.
    Shrinks to the key of seed 0.

    Args:
        style: `"typed"` for the keys of `jax.random.key`, `"raw"` for the uint32 arrays of `jax.random.PRNGKey`,
            `"either"` for both.
        impl: the generator.

    Returns:
        A strategy for keys: a `jax.Array` of shape `[]` with a key dtype, or of shape `[2]` (`[4]` for the rbg
        generators) and dtype uint32.

    Raises:
        InvalidArgument: if `style` or `impl` is unknown.
    """
    _check_known("style", style, get_args(Style))
    _check_known("impl", impl, get_args(Impl))
    styles = {"either": ("typed", "raw")}.get(style, (style,))
    which = indices(len(styles), purpose="style of keys")
    times = indices(len(_FOLDS), purpose="folds of keys")
    folded = tuple(indices(2**16, purpose=f"fold {i} of keys") for i in range(max(_FOLDS)))
    numbers = seeds(kind="int")

    @st.composite
    def key(draw: st.DrawFn) -> Any:
        chosen, seed = styles[index(draw(which))], draw(numbers)
        folds = [index(draw(fold)) for fold in folded[: _FOLDS[index(draw(times))]]]
        return _key(chosen, impl, seed, folds)

    return key()


def _check_known(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise misuse(expected=f"one of {listed}", name=name, value=value, fix=f"Pass {name}={known[0]!r}.")


def _key(style: str, impl: str, seed: Any, folds: list[int]) -> jax.Array:
    import jax

    # As uint32, because a Python int of 2**31 or more overflows where 64-bit types are off.
    made = jax.random.key(np.uint32(seed), impl=impl)
    for data in folds:
        made = jax.random.fold_in(made, data)
    return made if style == "typed" else jax.random.key_data(made)
