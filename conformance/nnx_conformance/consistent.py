"""Whether an observation agrees with itself: what comes from a candidate's process may have been forged."""

from __future__ import annotations

from nnx_conformance.observation import Observation, Run, Snapshot


def consistent(seen: Observation) -> Observation:
    """The observation itself.

    Raises:
        ValueError: if it points to something that it does not hold.
    """
    for run in (seen.run, seen.untraced):
        if run is not None:
            _check_run(run)
    return seen


def _check_run(run: Run) -> None:
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


def _check_position(position: int, size: int, what: str) -> None:
    if not 0 <= position < size:
        raise ValueError(f"{what} {position} of {size}")
