"""The arrays of a module's state, by path, if the observer records them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from nnx_conformance.core.facts import Run, Slot, Snapshot

#: A path with a number in it: the text before the last number, the number, the text after it.
NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")

State = dict[str, tuple[Slot, np.ndarray]]


def arrays(run: Run, snapshot: Snapshot | None) -> State:
    """The arrays of a snapshot, without those of an Rngs."""
    if snapshot is None or not snapshot.arrays:
        return {}
    slots = zip(run.layouts[snapshot.layout], snapshot.arrays, strict=True)
    return {slot.path: (slot, run.arrays[position]) for slot, position in slots if position >= 0 and not slot.rng}


def in_series(state: State) -> State:
    """The single numbers whose paths differ in their last index, `means[0]` and `means[1]`, as one array `means[*]`."""
    rows: dict[str, list[tuple[int, Slot, np.ndarray]]] = {}
    for path, (slot, array) in state.items():
        if array.size == 1 and (match := NUMBERED.fullmatch(path)):
            rows.setdefault(f"{match[1]}*{match[3]}", []).append((int(match[2]), slot, array))
    return {path: (replace(row[0][1], path=path), _joined(row)) for path, row in rows.items() if len(row) > 1}


def _joined(row: list[tuple[int, Slot, np.ndarray]]) -> np.ndarray:
    return np.concatenate([array.ravel() for _, _, array in sorted(row, key=lambda member: member[0])])
