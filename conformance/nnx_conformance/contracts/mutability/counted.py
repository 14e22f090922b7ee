"""The count of a case, call by call: expected, and as the module's state showed it."""

from __future__ import annotations

import math

from nnx_conformance.case import Case
from nnx_conformance.contracts.mutability.evidence import base, calls_asked
from nnx_conformance.observation import Call, Observation, Run, Snapshot
from nnx_conformance.timeline import Point, Timeline, main_calls, state, thinned


def timeline(case: Case, seen: Observation) -> Timeline | None:
    """What the counting attribute held before the first call and after each; None if no call or no number was seen."""
    run = base(seen)
    calls = main_calls(run)
    path = _counting(run, calls) if calls else None
    if path is None:
        return None
    asked = calls_asked(case)
    snapshots = [calls[0].before, *(call.after for call in calls)]
    longest = max(asked, len(calls)) + 1
    points = tuple(_point(run, snapshots, path, number, asked) for number in range(longest))
    return Timeline(f"{run.modules[calls[0].module].name}.{path}", thinned(points))


def _counting(run: Run, calls: tuple[Call, ...]) -> str | None:
    """The attribute to show: one that moves rather than another, a Variable rather than anything else."""
    first = {path: found for path, found in state(run, calls[0].before).items() if found[1] is not None}
    moving = set()
    for call in calls:
        after = state(run, call.after) if call.after is not None else {}
        moving |= {path for path, (_, held) in first.items() if path in after and after[path][1] != held}
    own = [path for path, (slot, _) in first.items() if not slot.rng]
    return max(own, key=lambda path: (path in moving, first[path][0].variable), default=None)


def _point(run: Run, snapshots: list[Snapshot | None], path: str, number: int, asked: int) -> Point:
    expected = float(number) if number <= asked else None
    snapshot = snapshots[number] if number < len(snapshots) else None
    if snapshot is None:
        return Point(number, expected, None, "", False)
    return Point(number, expected, *_held(run, snapshot, path))


def _held(run: Run, snapshot: Snapshot, path: str) -> tuple[float | None, str, bool]:
    """The number, the type of what holds it, and whether that is a Variable."""
    if path not in (found := state(run, snapshot)):
        return None, "", False
    slot, held = found[path]
    return held if held is not None and math.isfinite(held) else None, slot.type, slot.counts
