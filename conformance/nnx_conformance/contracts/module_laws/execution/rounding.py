"""How far rounding moves what a program computes: the tolerance of a comparison follows from that.

Equal rows have no variance, so BatchNorm divides rounding errors by almost nothing. A transform may round otherwise,
and its statistics keep the difference: an average still differs when later calls agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.contracts.module_laws.execution.harness import Harness, History, Twin, nudge
from nnx_conformance.contracts.module_laws.execution.snapshots import state, tree


def moved_twin(harness: Harness, seed: int, history: History) -> Twin:
    """A twin with this history whose first state, and the inputs of whose calls, differ in the last bits."""
    twin = Twin(harness, seed)
    nudge(twin.module)
    for kind, value in history:
        if kind == "call":
            twin.call(value, moved=True)
        else:
            twin.apply(kind, value)
    return twin


def distances(start: Callable[[], Twin], added: list[int], twin: Side) -> tuple[float, ...]:
    """How far each leaf moves from a start whose state, and the inputs of its calls, move in the last bit."""
    try:
        other = start()
        nudge(other.module)
        outputs = [other.call(number, moved=True) for number in added]
    except Exception:  # noqa: BLE001 - without noise, the dtypes alone set the tolerance
        return ()
    moved = tree(outputs if len(added) > 1 else outputs[0]) if outputs else ()
    pairs = moved + state(other.module), twin.outputs + twin.state
    return tuple(map(_distance, *pairs)) if len(pairs[0]) == len(pairs[1]) else ()


def _distance(leaf: LeafFacts, other: LeafFacts) -> float:
    """The largest difference of two leaves; -1 if their numbers cannot be compared."""
    a, b = leaf.array, other.array
    if a is None or b is None or a.shape != b.shape or a.dtype.kind in "bOSU" or not a.size:
        return -1.0
    with np.errstate(all="ignore"):
        differences = np.abs(a.astype(np.complex128) - b.astype(np.complex128))
    return float(np.max(differences)) if np.all(np.isfinite(differences)) else -1.0
