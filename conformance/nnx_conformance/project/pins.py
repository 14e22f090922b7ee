"""Pinned versions of contracts: a check that is newer than the pin decides nothing until the pin is raised."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Contract, numbers
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.report import Report, Status
from nnx_conformance.project.waivers import Waiver, applied


def known(pins: Mapping[str, str], name: str) -> None:
    """Raise `Misuse` for a pin of a contract that is not installed, or of a later version than this contract has."""
    for pinned in pins:
        if pinned not in contracts.names():
            raise expected("the name of an installed contract", "pins", pinned, suggestion(pinned, contracts.names()))
    if name in pins and numbers(pins[name]) > numbers(latest := contracts.get(name).version):
        what = f"a version of contract {name!r} up to {latest}"
        raise expected(what, f"pins.{name}", pins[name], f"Write `{name} = {latest}`, or update the contract.")


def newer(contract: Contract, pins: Mapping[str, str]) -> frozenset[str]:
    """The ids of the checks that a later version of a contract added than the one that is pinned."""
    if contract.name not in pins:
        return frozenset()
    return frozenset(each.id for each in contract.checks if numbers(each.since) > numbers(pins[contract.name]))


def excused(report: Report, pins: Mapping[str, str]) -> Report:
    """The report with what newer checks found, and what they alone block, counted as waived."""
    if report.contract not in pins:
        return report
    new = newer(contracts.get(report.contract), pins)
    broken = [
        result.id
        for result in report.checks
        if (result.id in new and result.status in (Status.VIOLATED, Status.BLOCKED))
        or (result.status == Status.BLOCKED and new.issuperset(result.blocked_by))
    ]
    reason = f"newer than version {pins[report.contract]} of {report.contract}, which pyproject.toml pins"
    waivers = [Waiver(check, report.candidate, reason) for check in broken]
    return applied(report, waivers, datetime.date.today(), lambda _: True)
