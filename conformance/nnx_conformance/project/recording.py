"""Recording a project's baseline from the reports of a run, for every command that does."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from nnx_conformance.core.report import Report
from nnx_conformance.project import baseline, candidates
from nnx_conformance.project.settings import Project


def without_baseline(project: Project) -> Project:
    """The project without what its baseline excuses, which is judged again to be recorded."""
    return dataclasses.replace(project, waivers=tuple(each for each in project.waivers if not each.contract))


def record(project: Project, reports: Sequence[Report], ends: datetime.date) -> list[str]:
    """Write the baseline from reports that none excused; the lines that say what that changed.

    Entries of a candidate that could not be judged stay.
    """
    judged = [(candidates.waiver_name(project, each.candidate), each) for each in reports if not each.failure]
    failed = [
        f"{report.candidate}: could not be judged, so its entries stay: {report.failure}"
        for report in reports
        if report.failure
    ]
    return record_named(project, judged, ends, failed)


def record_named(
    project: Project, judged: Sequence[tuple[str, Report]], ends: datetime.date, failed: Sequence[str] = ()
) -> list[str]:
    """As `record`, of candidates by the names that the baseline is to have for them; `failed` says which have none."""
    change = baseline.write(project.root, judged, ends, datetime.date.today())
    noun = "entry" if change.entries == 1 else "entries"
    return [
        *(f"{name}: {', '.join(baseline.broken(report)) or 'nothing is broken'}" for name, report in judged),
        *failed,
        *(f"fixed: {waiver.check} of {waiver.candidate}" for waiver in change.gone),
        f"{change.entries} {noun} in {baseline.NAME}, {change.new} of them new and until {ends}",
    ]
