"""Runners of several calls at once: one after the other in a loop, or side by side in lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from nnx_conformance.contracts.module_laws.execution import operations
from nnx_conformance.contracts.module_laws.execution.harness import Twin, stacked
from nnx_conformance.contracts.module_laws.execution.snapshots import side
from nnx_conformance.contracts.module_laws.program.language import CALLS, OTHER

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

LANES = 2
#: What calls the module several times, one after the other.
SEVERAL = ("scan", "fori_loop", "while_loop", "shard", "place", "shardmap")


def scan(run: Execution) -> Any:
    outputs = run.transforms.run("scan", run.module, _stacked_inputs(run, CALLS))
    return [_lane(outputs, at) for at in range(CALLS)]


def looped(name: str) -> Callable[[Execution], Any]:
    def runner(run: Execution) -> Any:
        room = operations.blank(run.wanted)
        outputs = run.transforms.run(name, run.module, _stacked_inputs(run, CALLS), room)
        return [_lane(outputs, at) for at in range(CALLS)]

    return runner


def _stacked_inputs(run: Execution, count: int) -> Any:
    numbers = run.harness.pool.several(run.word.input, count)
    run.notes["inputs"] = tuple(numbers)
    return stacked([run.harness.pool.arguments(number) for number in numbers])


def _lane(outputs: Any, at: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[at], outputs)


def vmap(run: Execution) -> Any:
    others = [Twin(run.harness, run.todo.seed + OTHER * at, run.twin.history[:-1]) for at in range(1, LANES)]
    inputs = _stacked_inputs(run, LANES)
    lanes = operations.stack([run.module, *(other.replayed().module for other in others)])
    outputs = run.transforms.run("vmap", lanes, inputs)
    for at, other in enumerate(others, 1):
        wanted = side(other.module, other.call(run.notes["inputs"][at]))
        run.compare("vmap-agrees", f"lane {at}", side(operations.lane(lanes, at), _lane(outputs, at)), wanted)
    run.module = operations.lane(lanes, 0)
    return _lane(outputs, 0)
