"""What Hypothesis loads when it is imported: a few lines, so that those who only have this installed pay nothing."""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Have `st.from_type`, and so `@given`, resolve the types of JAX, Flax NNX and jaxtyping."""
    # `st.register_type_strategy` wants the type itself, and so JAX imported. This table is Hypothesis's own way to a
    # type of a module that may never be imported; a test fails if the name moves. What users register goes before it.
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
