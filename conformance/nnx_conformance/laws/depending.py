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
    """The paths of the state on which a call's outputs depend, and of streams that decide what it writes.

    All of the state, if the call cannot be traced. The module itself is not called, but copies of it.
    """
    try:
        return _depends(module, call)
    except Exception:  # noqa: BLE001 - a call may ask for concrete values, or do anything else that a trace forbids
        return list(held(module))


def _depends(module: Any, call: Callable[[Any], Any]) -> list[str]:
    graph, state = nnx.split(module)
    paths: list[str] = []

    def traced(state: Any) -> tuple[list[Any], list[Any]]:
        again = nnx.merge(graph, state)
        named = {id(value): path for path, value in held(again).items()}
        paths[:] = [named.get(id(leaf), "") for leaf in jax.tree.leaves(state)]
        outputs = jax.tree.leaves(call(again))
        return [leaf for leaf in outputs if isinstance(leaf, jax.Array)], list(_written(again))

    closed, (outputs, _) = jax.make_jaxpr(traced, return_shape=True)(state)
    mine = [at < len(outputs) for at in range(len(closed.jaxpr.outvars))]
    _, read = dce_jaxpr(closed.jaxpr, mine)
    _, kept = dce_jaxpr(closed.jaxpr, [not one for one in mine])
    streams = {path for path, variable in variables(module).items() if _random(variable)}
    decides = [
        one or (other and path.split("/")[0] in streams) for path, one, other in zip(paths, read, kept, strict=True)
    ]
    return [path for path, is_so in zip(paths, decides, strict=True) if path and is_so]


def _written(module: Any) -> Iterator[Any]:
    """What Variables hold that are no part of a random stream: what a stream becomes hangs on what it was."""
    for variable in variables(module).values():
        if not _random(variable):
            yield from jax.tree.leaves(contents(variable))


def _random(variable: nnx.Variable[Any]) -> bool:
    return is_random(variable) or holds_raw_keys(variable)
