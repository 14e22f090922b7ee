"""The count of a case, call by call: expected, and observed in the module's state."""

from __future__ import annotations

import math

from nnx_conformance.contracts.counter.reading import CounterReading
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Call, Run, Snapshot
from nnx_conformance.core.timeline import Point, Timeline, state, thinned


def timeline(_: Case, reading: CounterReading) -> Timeline | None:
    """The number in the counting attribute before the first call and after each; None without a call or number."""
    run, calls, requested = reading.clear, reading.calls, reading.requested_calls
    path = _counting(run, calls) if calls else None
    if path is None:
        return None
    snapshots = [calls[0].before, *(call.after for call in calls)]
    longest = max(requested, len(calls)) + 1
    points = tuple(_point(run, snapshots, path, number, requested) for number in range(longest))
    return Timeline(f"{run.modules[calls[0].module].name}.{path}", thinned(points))


def _counting(run: Run, calls: tuple[Call, ...]) -> str | None:
    """The attribute to show: one that moves if there is any, and a Variable rather than another attribute."""
    first = {path: start for path, start in state(run, calls[0].before).items() if start[1] is not None}
    moving = set()
    for call in calls:
        after = state(run, call.after) if call.after is not None else {}
        moving |= {path for path, (_, start) in first.items() if path in after and after[path][1] != start}
    own = [path for path, (slot, _) in first.items() if not slot.rng]
    return max(own, key=lambda path: (path in moving, first[path][0].variable), default=None)


def _point(run: Run, snapshots: list[Snapshot | None], path: str, number: int, requested: int) -> Point:
    expected = float(number) if number <= requested else None
    snapshot = snapshots[number] if number < len(snapshots) else None
    if snapshot is None:
        return Point(number, expected, None, "", False)
    return Point(number, expected, *_observed(run, snapshot, path))


def _observed(run: Run, snapshot: Snapshot, path: str) -> tuple[float | None, str, bool]:
    """The number at a path, the type of the object that holds it, and whether that is a Variable."""
    if path not in (slots := state(run, snapshot)):
        return None, "", False
    slot, number = slots[path]
    return number if number is not None and math.isfinite(number) else None, slot.type, slot.counts
