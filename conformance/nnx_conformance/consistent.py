"""Whether an observation agrees with itself and its request: what a candidate's process sends may have been forged."""

from __future__ import annotations

from nnx_conformance.observation import Observation, Run, Snapshot
from nnx_conformance.request import AGAIN, Request

#: More calls or modules than any case asks for, by far; judging them would take as long as the candidate likes.
MANY = 10_000


def consistent(seen: Observation, request: Request) -> Observation:
    """The observation itself.

    Raises:
        ValueError: if it points to something that it does not hold, or is none of what was asked for.
    """
    for run in (seen.run, seen.untraced):
        if run is not None:
            _check_asked(run, request)
            _check_run(run)
    if (seen.again is None) != (AGAIN not in request.probes):
        raise ValueError("the same case again, or not, against what was asked")
    return seen


def _check_asked(run: Run, request: Request) -> None:
    if run.asked != request.calls:
        raise ValueError(f"{run.asked} calls asked for instead of {request.calls}")
    if [left.name for left in run.arguments] != [argument.name for argument in request.case.arguments]:
        raise ValueError("other arguments than those that were passed")
    if any(left.alive and left.array is None for left in run.arguments):
        raise ValueError("an argument that is alive and holds nothing")
    if run.result is None and run.raised is None:
        raise ValueError("neither a result nor an exception")


def _check_run(run: Run) -> None:
    if (most := max(len(run.calls), len(run.modules))) > MANY:
        raise ValueError(f"{most} calls or modules; at most {MANY} are looked at")
    for module in run.modules:
        _check_snapshots(run, module.start, module.end)
    for call in run.calls:
        _check_position(call.module, len(run.modules), "module")
        _check_snapshots(run, call.before, call.after)
        if call.returned is not None:
            _check_position(call.returned, len(run.returns), "returned value")


def _check_snapshots(run: Run, *snapshots: Snapshot | None) -> None:
    for snapshot in snapshots:
        if snapshot is not None:
            _check_position(snapshot.layout, len(run.layouts), "layout")
            size = len(run.layouts[snapshot.layout])
            if len(snapshot.numbers) != size:
                raise ValueError(f"{len(snapshot.numbers)} numbers for {size} slots")
            for position in snapshot.traced:
                _check_position(position, size, "slot")
            if snapshot.held and len(snapshot.held) != size:
                raise ValueError(f"{len(snapshot.held)} arrays for {size} slots")
            for position in snapshot.held:
                _check_position(position + 1, len(run.arrays) + 1, "array")


def _check_position(position: int, size: int, what: str) -> None:
    if not 0 <= position < size:
        raise ValueError(f"{what} {position} of {size}")
