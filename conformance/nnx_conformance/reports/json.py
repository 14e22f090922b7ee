"""Reports as JSON, in the form that `report.schema.json` publishes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any, TextIO

from nnx_conformance.core.case import case_data
from nnx_conformance.core.report import STATUSES, CheckResult, Finding, Report, WaiverUse
from nnx_conformance.core.timeline import Timeline
from nnx_conformance.reports.wording import location

SCHEMA_VERSION = "1"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    text = resources.files("nnx_conformance").joinpath("report.schema.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one document of all reports."""
    file.write(document(list(reports)))


def document(reports: list[Report]) -> str:
    """One JSON document of all reports."""
    return json.dumps({"schema_version": SCHEMA_VERSION, "reports": list(map(report_data, reports))}, indent=2) + "\n"


def report_data(report: Report) -> dict[str, Any]:
    """One report as JSON data."""
    return {
        "candidate": report.candidate,
        "source": report.source,
        "contract": report.contract,
        "contract_version": report.contract_version,
        "verdict": report.verdict,
        "failure": report.failure,
        "ended": report.ended or "",
        "isolation": report.isolation,
        **({"note": report.note} if report.note else {}),
        "versions": dataclasses.asdict(report.versions) if report.versions else None,
        "settings": {**dataclasses.asdict(report.settings), "checks": list(report.settings.checks)},
        "cases": report.cases,
        "seconds": round(report.seconds, 3) if math.isfinite(report.seconds) else 0.0,
        "accounting": {"planned": len(report.checks), **{_key(status): report.count(status) for status in STATUSES}},
        "checks": list(map(_result_data, report.checks)),
        "conditions": _conditions_data(report),
        "findings": [_finding_data(report, finding) for finding in report.findings],
        "waivers": [_waiver_data(report, use) for use in report.waivers],
    }


def _key(status: str) -> str:
    return status.replace(" ", "_")


def _result_data(result: CheckResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "level": result.level,
        "requirement": result.requirement,
        "status": _key(result.status),
        "cases_evaluated": result.evaluated,
        "cases_violated": result.violated,
        "blocked_by": list(result.blocked_by),
        "reason": result.reason,
        **({"proved": list(result.proved)} if result.proved else {}),
    }


def _conditions_data(report: Report) -> dict[str, Any]:
    known = report.conditions
    return {
        "total": known.total,
        "met_both_ways": known.total - len(known.unmet),
        "runs": known.runs,
        "note": known.note,
        "unmet": [
            {
                "file": each.line.file,
                "number": each.line.number,
                "cell": each.line.cell,
                "text": each.text,
                "never": each.never,
                "nearest": each.nearest,
                **({"advice": each.advice} if each.advice else {}),
            }
            for each in known.unmet
        ],
    }


def _finding_data(report: Report, finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "level": finding.level,
        "what": finding.what,
        "expected": finding.expected,
        "observed": finding.observed,
        "line": _line_data(report, finding) if finding.line else None,
        "cause": finding.cause,
        "remedy": finding.remedy,
        "case": case_data(finding.case),
        "smallest": finding.smallest,
        "only_where": finding.condition,
        "cases_violated": finding.violated,
        "cases_evaluated": finding.evaluated,
        "blocks": list(finding.blocks),
        "because": finding.because,
        "replay": finding.replay,
        "script": finding.script,
        "assertion": finding.assertion,
        "excerpt": dataclasses.asdict(finding.excerpt) if finding.excerpt else None,
        "timeline": _timeline_data(finding.timeline) if finding.timeline else None,
    }


def _line_data(report: Report, finding: Finding) -> dict[str, Any]:
    """The line, its file relative to the current folder."""
    assert finding.line
    at = location(report, finding)
    cell = {"cell": finding.line.cell} if finding.line.cell else {}
    line = {"file": finding.line.file, "number": finding.line.number, "source": finding.line.source, **cell}
    return {**line, **({"file": at.file} if at and (at.line or at.within) else {})}


def _timeline_data(timeline: Timeline) -> dict[str, Any]:
    steps = {"steps": [dataclasses.asdict(step) for step in timeline.steps]} if timeline.steps else {}
    return {"name": timeline.name, "points": list(map(dataclasses.asdict, timeline.points)), **steps}


def _waiver_data(report: Report, use: WaiverUse) -> dict[str, Any]:
    return {
        "check": use.check,
        "candidate": use.candidate,
        "reason": use.reason,
        "expires": use.expires,
        "state": use.state,
        "problem": use.problem,
        "finding": _finding_data(report, use.finding) if use.finding else None,
    }
