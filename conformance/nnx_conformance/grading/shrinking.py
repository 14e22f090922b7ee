"""Shrinks the cases of one stored candidate on request; `grade` itself shrinks none."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable

from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.case import Case
from nnx_conformance.core.report import Finding, Report, Settings
from nnx_conformance.core.search.domain import Domain
from nnx_conformance.grading.submissions import file_name
from nnx_conformance.judging.check import Job, judge
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.session import Progress
from nnx_conformance.sandbox.jail import Jail


def shrunk(report: Report, source: bytes, limits: Limits, jail: Jail, progress: Progress) -> Report:
    """The stored report, with the smallest case of each finding: the search starts from the stored one.

    A finding that does not show again stays as it was stored.
    """
    stored = [finding.case for finding in report.findings if finding.case]
    if not stored:
        return report

    def draw(domain: Domain, settings: Settings, visit: Callable[[Case], None]) -> None:
        for case in {case.key: case for case in stored if case.domain == domain.name}.values():
            visit(case)

    id = report.candidate
    target = Target(id, file_name(id), "", "", base64.b64encode(source).decode())
    shrinking = dataclasses.replace(report.settings, shrink=True)
    with ForkServer(jail) as fork_server:
        clock = Clock(limits)
        job = Job(lambda: Process(target, clock, fork_server), id, report.contract, shrinking, progress, draw=draw)
        found = {finding.check: finding for finding in judge(job).findings}
    return dataclasses.replace(
        report, findings=tuple(_smaller(each, found.get(each.check)) for each in report.findings)
    )


def _smaller(stored: Finding, found: Finding | None) -> Finding:
    if found is None:
        return stored
    counts = {name: getattr(stored, name) for name in ("violated", "evaluated", "blocks", "because")}
    return dataclasses.replace(found, **counts)
