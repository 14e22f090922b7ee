"""Reports as JSON, in the form that `report.schema.json` publishes."""

from __future__ import annotations

import dataclasses
import json
import math
from importlib import resources
from typing import Any

from nnx_conformance.report import STATUSES, CheckResult, Finding, Report, WaiverUse
from nnx_conformance.stored import case_data
from nnx_conformance.timeline import Timeline

SCHEMA_VERSION = "1"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    text = resources.files("nnx_conformance").joinpath("report.schema.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


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
        "ended": report.ended,
        "isolation": report.isolation,
        "versions": dataclasses.asdict(report.versions) if report.versions else None,
        "settings": {**dataclasses.asdict(report.settings), "checks": list(report.settings.checks)},
        "cases": report.cases,
        "seconds": round(report.seconds, 3) if math.isfinite(report.seconds) else 0.0,
        "accounting": {"planned": len(report.checks), **{_key(status): report.count(status) for status in STATUSES}},
        "checks": list(map(_result_data, report.checks)),
        "findings": list(map(_finding_data, report.findings)),
        "waivers": list(map(_waiver_data, report.waivers)),
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
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "level": finding.level,
        "what": finding.what,
        "expected": finding.expected,
        "observed": finding.observed,
        "line": dataclasses.asdict(finding.line) if finding.line else None,
        "cause": finding.cause,
        "remedy": finding.remedy,
        "case": case_data(finding.case),
        "smallest": finding.smallest,
        "cases_violated": finding.violated,
        "cases_evaluated": finding.evaluated,
        "blocks": list(finding.blocks),
        "follows": finding.follows,
        "replay": finding.replay,
        "script": finding.script,
        "excerpt": dataclasses.asdict(finding.excerpt) if finding.excerpt else None,
        "timeline": _timeline_data(finding.timeline) if finding.timeline else None,
    }


def _timeline_data(timeline: Timeline) -> dict[str, Any]:
    return {"name": timeline.name, "points": list(map(dataclasses.asdict, timeline.points))}


def _waiver_data(use: WaiverUse) -> dict[str, Any]:
    return {
        "check": use.check,
        "candidate": use.candidate,
        "reason": use.reason,
        "expires": use.expires,
        "state": use.state,
        "problem": use.problem,
        "finding": _finding_data(use.finding) if use.finding else None,
    }
