"""Reports read back from the JSON that `as_json` writes: by the cache, and by processes that share one run."""

from __future__ import annotations

from typing import Any

from nnx_conformance.observation import Line, Versions
from nnx_conformance.report import CheckResult, Finding, Report, Settings, WaiverUse
from nnx_conformance.stored import case_from


def report_from(data: dict[str, Any]) -> Report:
    """A report from its JSON data.

    Raises:
        ValueError, KeyError, TypeError: if it is none.
    """
    settings = data["settings"]
    return Report(
        candidate=data["candidate"],
        contract=data["contract"],
        contract_version=data["contract_version"],
        settings=Settings(**{**settings, "checks": tuple(settings["checks"])}),
        versions=Versions(**data["versions"]) if data["versions"] else None,
        cases=data["cases"],
        checks=tuple(map(_result, data["checks"])),
        findings=tuple(map(_finding, data["findings"])),
        seconds=data["seconds"],
        failure=data["failure"],
        waivers=tuple(map(_waiver, data["waivers"])),
    )


def _result(data: dict[str, Any]) -> CheckResult:
    return CheckResult(
        id=data["id"],
        level=data["level"],
        requirement=data["requirement"],
        status=data["status"].replace("_", " "),
        evaluated=data["cases_evaluated"],
        violated=data["cases_violated"],
        blocked_by=tuple(data["blocked_by"]),
        reason=data["reason"],
    )


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(
        check=data["check"],
        level=data["level"],
        what=data["what"],
        expected=data["expected"],
        observed=data["observed"],
        line=Line(**data["line"]) if data["line"] else None,
        cause=data["cause"],
        remedy=data["remedy"],
        case=case_from(data["case"]) if data["case"] else None,
        violated=data["cases_violated"],
        evaluated=data["cases_evaluated"],
        blocks=tuple(data["blocks"]),
        replay=data["replay"],
    )


def _waiver(data: dict[str, Any]) -> WaiverUse:
    found = _finding(data["finding"]) if data["finding"] else None
    return WaiverUse(data["check"], data["candidate"], data["reason"], data["expires"], data["state"], found)
