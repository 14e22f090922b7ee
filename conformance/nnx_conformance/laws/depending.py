"""What the outputs of a call depend on, read from the traced computation: equal outputs may be equal by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jax.interpreters.partial_eval import dce_jaxpr

from nnx_conformance.laws.snapshots import held


def depends(module: Any, call: Callable[[Any], Any]) -> list[str]:
    """The paths of the state on which the outputs of a call depend; of all of it where the call cannot be traced.

    The module itself is not called, but copies of it.
    """
    try:
        return _depends(module, call)
    except Exception:  # noqa: BLE001 - a call may ask for concrete values, or do anything else that a trace forbids
        return list(held(module))


def _depends(module: Any, call: Callable[[Any], Any]) -> list[str]:
    graph, state = nnx.split(module)
    paths: list[str] = []

    def traced(state: Any) -> Any:
        again = nnx.merge(graph, state)
        named = {id(value): path for path, value in held(again).items()}
        paths[:] = [named.get(id(leaf), "") for leaf in jax.tree.leaves(state)]
        return [leaf for leaf in jax.tree.leaves(call(again)) if isinstance(leaf, jax.Array)]

    jaxpr = jax.make_jaxpr(traced)(state).jaxpr
    _, used = dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return [path for path, is_used in zip(paths, used, strict=True) if is_used and path]
