"""Runners of several calls in one operation: in a loop, or as lanes of `vmap`."""

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
#: Operations that call the module several times, one call after the other.
SEVERAL = ("scan", "fori_loop", "while_loop", "shard", "place", "shardmap")


def scan(run: Execution) -> Any:
    outputs = run.transforms.run("scan", run.module, _stacked_inputs(run, CALLS))
    return [_lane(outputs, number) for number in range(CALLS)]


def looped(name: str) -> Callable[[Execution], Any]:
    def runner(run: Execution) -> Any:
        room = operations.blank(run.wanted)
        outputs = run.transforms.run(name, run.module, _stacked_inputs(run, CALLS), room)
        return [_lane(outputs, number) for number in range(CALLS)]

    return runner


def _stacked_inputs(run: Execution, count: int) -> Any:
    numbers = run.harness.pool.several(run.word.input, count)
    run.notes["inputs"] = tuple(numbers)
    return stacked([run.harness.pool.arguments(number) for number in numbers])


def _lane(outputs: Any, number: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[number], outputs)


def vmap(run: Execution) -> Any:
    others = [Twin(run.harness, run.program.seed + OTHER * lane, run.twin.history[:-1]) for lane in range(1, LANES)]
    inputs = _stacked_inputs(run, LANES)
    lanes = operations.stack([run.module, *(other.replayed().module for other in others)])
    outputs = run.transforms.run("vmap", lanes, inputs)
    for lane, other in enumerate(others, 1):
        wanted = side(other.module, other.call(run.notes["inputs"][lane]))
        run.compare("vmap-agrees", f"lane {lane}", side(operations.lane(lanes, lane), _lane(outputs, lane)), wanted)
    run.module = operations.lane(lanes, 0)
    return _lane(outputs, 0)
