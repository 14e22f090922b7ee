"""The baseline of graded candidates: what was broken when it was written does not decide, and new findings do."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.report import Report
from nnx_conformance.grading.store import Store, StoredGrade
from nnx_conformance.project import baseline, candidates
from nnx_conformance.project.settings import Project


def name(project: Project, given: str, id: str) -> str:
    """A graded candidate as baselines name it: its path from the project's root, or its id in a list."""
    if Path(given).is_dir():
        return candidates.waiver_name(project, str(Path(given, id)))
    return f"{given}::{id}"


def named_reports(project: Project, given: str, rows: Iterable[StoredGrade], store: Store) -> list[tuple[str, Report]]:
    """The stored reports of candidates that were judged, each by the name that baselines have for it."""
    found = ((row, store.stored(row.id)) for row in rows)
    reports = ((row.id, stored[0]) for row, stored in found if stored and stored[0])
    return [(name(project, given, id), report) for id, report in reports if not report.failure]


@dataclass(frozen=True)
class Excused:
    """What a baseline makes of graded candidates, by their names in it.

    Attributes:
        only: break nothing but what it records.
        fixed: entries that are no longer needed, as `check of candidate`.
    """

    only: frozenset[str]
    fixed: tuple[str, ...]


def excused(project: Project, reports: Iterable[tuple[str, Report]], today: datetime.date) -> Excused:
    """Compare reports with the entries of the project's baseline that have not ended."""
    entries = [waiver for waiver in baseline.read(project.root) if not waiver.expired(today)]
    only, fixed = set[str](), list[str]()
    for candidate, report in reports:
        recorded = {each.check for each in entries if (each.candidate, each.contract) == (candidate, report.contract)}
        broken = set(baseline.broken(report))
        fixed += [f"{check} of {candidate}" for check in sorted(recorded - broken)]
        if broken and broken <= recorded:
            only.add(candidate)
    return Excused(frozenset(only), tuple(fixed))
