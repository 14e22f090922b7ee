"""States with a module's structure and drawn contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from ._arrays.leaves import leaves
from ._keys import keys
from ._validation import misuse

if TYPE_CHECKING:
    from flax import nnx

Chosen = Callable[[str, Any], st.SearchStrategy[Any] | None]
_MOST_DRAWN = 64


def states(module: Any, *filters: Any, choose: Chosen | None = None) -> st.SearchStrategy[nnx.State[Any, Any]]:
    """States with a module's structure and drawn contents, to test the module from any state.

        @given(states(model, nnx.BatchStat), arrays(shape=(4, 3)))
        def test_the_mean_stays_finite(state, x):
            nnx.update(model, state)
            ...

    Every array has the module's shape and dtype, with the contents of `arrays`: any numbers, even those that the module
    itself would never hold, such as a variance below zero. Typed keys come from `keys`, and counts of drawn keys are
    small. Shrinks to zeros.

    Args:
        module: an `nnx.Module` or `nnx.State`; it is read once, now.
        filters: which Variables, as for `nnx.state(module, filter)`; all without filters.
        choose: returns the strategy for a leaf from its path (`"layers.0.mean"`) and contents; None for the default.

    Returns:
        A strategy for an `nnx.State` of Variables of its own, for `nnx.update(module, state)` or `nnx.merge`.

    Raises:
        InvalidArgument: if `module` is no module or state, has no such Variables, or `choose` returns no strategy.
    """
    import jax
    from flax import nnx

    node: Any = getattr(nnx, "Pytree", None) or nnx.Object  # type: ignore[attr-defined,unused-ignore]
    if not isinstance(module, (node, nnx.State)):
        raise misuse(expected="an nnx.Module", name="module", value=module, fix="Pass the module itself.")
    read: Any = nnx.state(module, *filters) if isinstance(module, node) else module
    states = read if isinstance(read, tuple) else (read,)
    boxes = [box for box in jax.tree_util.tree_flatten_with_path(states, is_leaf=_is_variable)[0]]
    drawn: list[st.SearchStrategy[Any]] = []
    for way, box in boxes:
        for inner, part in jax.tree_util.tree_flatten_with_path(box)[0]:
            path = ".".join(
                str(_name(key)) for key in (*way[1:], *inner) if _name(key) not in ("value", "raw_value", "")
            )
            drawn.append(_strategy(path, box, part, choose))
    if not drawn:
        raise misuse(expected="filters that a Variable passes", name="filters", value=filters, fix="Leave them out.")
    structure = jax.tree.structure(states)

    def filled(contents: tuple[Any, ...]) -> Any:
        made = jax.tree.unflatten(structure, contents)
        return made if isinstance(read, tuple) else made[0]

    return st.tuples(*drawn).map(filled)


def _is_variable(value: Any) -> bool:
    from flax import nnx

    return isinstance(value, nnx.Variable) or type(value).__name__ == "VariableState"


def _name(key: Any) -> Any:
    return next((getattr(key, name) for name in ("key", "name", "idx") if hasattr(key, name)), "")


def _strategy(path: str, box: Any, value: Any, choose: Chosen | None) -> st.SearchStrategy[Any]:
    import jax
    import jax.numpy as jnp

    chosen = choose(path, value) if choose else None
    if chosen is not None:
        if not isinstance(chosen, st.SearchStrategy):
            fix = "Return a strategy, such as st.just(value), or None."
            raise misuse(expected="a Hypothesis strategy", name=f"choose({path!r}, ...)", value=chosen, fix=fix)
        return chosen
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return _keys(value)
    if isinstance(value, (jax.Array, np.ndarray)):
        kind = getattr(box, "type", None) or type(box)
        if getattr(kind, "__name__", "") == "RngCount":
            return st.integers(0, _MOST_DRAWN).map(lambda count: jnp.full(value.shape, count, value.dtype))
        return leaves(shape=value.shape, dtype=value.dtype, host=isinstance(value, np.ndarray))
    numbers = {bool: st.booleans(), int: st.integers(0, _MOST_DRAWN), float: st.floats(-1e6, 1e6)}
    return numbers.get(type(value), st.just(value))


def _keys(value: Any) -> st.SearchStrategy[Any]:
    import jax

    # Older JAX names a generator by the tag of its dtype.
    names: dict[str, Any] = {"fry": "threefry2x32", "urbg": "unsafe_rbg"}
    impl: Any = str(jax.random.key_impl(value))
    return keys(impl=names.get(impl, impl)).map(lambda key: jax.random.split(key, value.shape) if value.shape else key)
