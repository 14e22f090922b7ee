"""The entry point that Hypothesis loads at import. It imports no strategies, so that having this installed is free."""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Let `st.from_type`, and so `@given`, resolve the types of JAX, Flax NNX and jaxtyping."""
    # `st.register_type_strategy` needs the type itself, and so an import of JAX. Hypothesis resolves types of modules
    # that may never be imported by this table; a test fails if the name moves. What users register takes precedence.
    from hypothesis.strategies._internal import types

    table: Any = getattr(types, "_global_extra_lookup", None)
    if isinstance(table, dict):
        # First: NumPy's entry raises TypeError for the type of random keys, which is a subclass of `np.generic`.
        others = dict(table)
        table.clear()
        table.update({"jax": _resolved, **others})


def _resolved(thing: Any) -> Any:
    from nnx_strategies._types import of_type

    return of_type(thing)
