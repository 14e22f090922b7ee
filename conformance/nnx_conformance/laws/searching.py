"""How the machine is searched for a given time: longer programs of all operations, and what the search aims at."""

from __future__ import annotations

import math

from nnx_conformance.exploration import Exploration
from nnx_conformance.laws.domains import programs
from nnx_conformance.laws.language import OPERATIONS
from nnx_conformance.laws.seen import Leaf, Observation
from nnx_conformance.laws.tolerance import distance, tolerance

#: Programs of up to so many operations.
LONGEST = 20
#: Operations that cost a process or many calls come more seldom.
SELDOM = ("restart", "endure", "reseed", "rerun")


def _done(seen: Observation) -> tuple[tuple[str, str], ...]:
    return tuple((step.operation, seen.skipped or step.skipped) for step in seen.steps)


def _scores(seen: Observation) -> dict[str, float]:
    """`growth`: how many times as large the state has become; `error`: the largest difference, of what is allowed."""
    steps = [step for step in seen.steps if not step.skipped and not step.subject.raised and not step.twin.raised]
    if not steps:
        return {}
    sizes = [_size(step.twin.state) for step in steps]
    return {"growth": max(sizes) / max(_size(seen.start.state), 1), "error": _error(seen)}


def _size(leaves: tuple[Leaf, ...]) -> int:
    return sum(leaf.array.size for leaf in leaves if leaf.array is not None and (leaf.state or leaf.dtype))


def _error(seen: Observation) -> float:
    worst = 0.0
    for at, step in enumerate(seen.steps):
        if step.skipped or step.subject.raised or step.twin.raised:
            continue
        within = tolerance(seen, at)
        wanted = {leaf.path: leaf for leaf in step.twin.state}
        pairs = [(leaf.array, wanted[leaf.path].array) for leaf in step.subject.state if leaf.path in wanted]
        worst = max([worst, *(distance(a, b, within) for a, b in pairs if a is not None and b is not None)])
    return worst if math.isfinite(worst) else 0.0


EXPLORATION = Exploration(
    cases=lambda: programs(LONGEST, SELDOM),
    operations=tuple(operation.name for operation in OPERATIONS),
    done=_done,
    scores=_scores,
    told={
        "growth": "the state became at most {:.3g} times as large",
        "error": "the largest difference was {:.3g} times what is allowed",
    },
)
