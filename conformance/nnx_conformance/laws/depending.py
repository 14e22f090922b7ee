"""What a call depends on, read from the traced computation: outputs that are equal may be equal by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
from flax import nnx
from jax.interpreters.partial_eval import dce_jaxpr

from nnx_conformance.flax_versions import contents
from nnx_conformance.laws.snapshots import held, variables
from nnx_conformance.laws.transplants import holds_raw_keys, is_random


def depends(module: Any, call: Callable[[Any], Any]) -> list[str]:
    """The paths of the state on which a call's outputs depend, or what it writes; all of them if it cannot be traced.

    The module itself is not called, but copies of it.
    """
    try:
        return _depends(module, call)
    except Exception:  # noqa: BLE001 - a call may ask for concrete values, or do anything else that a trace forbids
        return list(held(module))


def _depends(module: Any, call: Callable[[Any], Any]) -> list[str]:
    graph, state = nnx.split(module)
    paths: list[str] = []

    def traced(state: Any) -> list[Any]:
        again = nnx.merge(graph, state)
        named = {id(value): path for path, value in held(again).items()}
        paths[:] = [named.get(id(leaf), "") for leaf in jax.tree.leaves(state)]
        outputs = jax.tree.leaves(call(again))
        return [leaf for leaf in (*outputs, *_written(again)) if isinstance(leaf, jax.Array)]

    jaxpr = jax.make_jaxpr(traced)(state).jaxpr
    _, used = dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return [path for path, is_used in zip(paths, used, strict=True) if is_used and path]


def _written(module: Any) -> Iterator[Any]:
    """What Variables hold that are no part of a random stream: what a stream becomes hangs on what it was."""
    for variable in variables(module).values():
        if not (is_random(variable) or holds_raw_keys(variable)):
            yield from jax.tree.leaves(contents(variable))
