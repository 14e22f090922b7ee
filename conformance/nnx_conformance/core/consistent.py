"""Checks that facts agree with themselves and their request: a candidate's process may have forged them."""

from __future__ import annotations

from nnx_conformance.core.facts import Facts, Run, Snapshot
from nnx_conformance.core.plan import AGAIN, Request
from nnx_conformance.core.search.conditions import checked

#: The most calls or modules of a run, far more than any case asks for. Without a limit, a forger could stall the judge.
MANY = 10_000


def consistent(facts: Facts, request: Request) -> Facts:
    """The facts themselves.

    Raises:
        ValueError: if a position in them is out of range, or they do not answer the request.
    """
    for run in facts.runs:
        _check_request(run, request)
        _check_run(run)
    if (facts.watched is None) == request.plan.watch:
        raise ValueError("what conditions compared, or not, against what was asked")
    if facts.watched is not None:
        checked(facts.watched)
    if (facts.again is None) != (AGAIN not in request.plan.probes):
        raise ValueError("the same case again, or not, against what was asked")
    return facts


def _check_request(run: Run, request: Request) -> None:
    if run.requested_calls != request.calls:
        raise ValueError(f"{run.requested_calls} calls asked for instead of {request.calls}")
    if [after.name for after in run.arguments] != [argument.name for argument in request.case.arguments]:
        raise ValueError("other arguments than those that were passed")
    if any(after.alive and after.array is None for after in run.arguments):
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
            if snapshot.arrays and len(snapshot.arrays) != size:
                raise ValueError(f"{len(snapshot.arrays)} arrays for {size} slots")
            for position in snapshot.arrays:
                _check_position(position + 1, len(run.arrays) + 1, "array")


def _check_position(position: int, size: int, what: str) -> None:
    if not 0 <= position < size:
        raise ValueError(f"{what} {position} of {size}")
