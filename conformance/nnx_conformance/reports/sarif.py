"""SARIF 2.1.0: one run for each contract, one rule for each check, one result for each root finding at its line.

What follows from a root stands in its result, as related locations; code hosts then show one alert for one cause.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TextIO
from urllib.parse import quote

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Check, Contract
from nnx_conformance.core.current import current_check, installed
from nnx_conformance.core.report import CheckResult, Finding, Report
from nnx_conformance.reports.wording import (
    CASES,
    also_breaks,
    details,
    documentation,
    headline,
    how_often,
    location,
    page_of,
    status,
)

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: By MUST and SHOULD.
LEVELS = {"MUST": "error", "SHOULD": "warning"}
#: What paths are relative to; GitHub takes this name for the root of the checkout.
BASE = "%SRCROOT%"
FINGERPRINT = "nnxConformanceFinding/v1"


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one log of all reports."""
    by_contract = dict.fromkeys(report.contract for report in reports)
    runs = [_run(contracts.get(name), [each for each in reports if each.contract == name]) for name in by_contract]
    json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, file, indent=2)
    file.write("\n")


def _run(contract: Contract, reports: list[Report]) -> dict[str, Any]:
    kit = version("nnx-conformance")
    rules = [_rule(contract.name, check) for check in contract.checks]
    about = {"name": "nnx-conformance", "version": kit, "semanticVersion": kit}
    if site := documentation():
        about["informationUri"] = site
    driver = {**about, "rules": rules}
    index = {check.id: at for at, check in enumerate(contract.checks)}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"nnx-conformance/{contract.name}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The folder in which the command ran."}}},
        "invocations": [_invocation(reports)],
        "results": [
            _result(report, *group, index) for report in reports for group in _groups(report) if group[0].check in index
        ],
    }


def _invocation(reports: list[Report]) -> dict[str, Any]:
    failed = [report for report in reports if report.verdict == "could not be judged"]
    notes = [_note(report) for report in failed]
    return {"executionSuccessful": not failed, **({"toolExecutionNotifications": notes} if notes else {})}


def _note(report: Report) -> dict[str, Any]:
    text = f"{report.candidate} could not be judged: {report.failure or 'no check held'}"
    return {"level": "error", "message": {"text": _plain(text)}}


def _rule(contract: str, written: Check) -> dict[str, Any]:
    check = current_check(written, installed())
    parts = (("Remedy", check.remedy), ("Wrong", check.wrong), ("Right", check.right))
    text = "\n\n".join((check.requirement, *(f"{label}:\n{body}" for label, body in parts)))
    examples = "\n\n".join(f"**{label}**\n\n```python\n{code}\n```" for label, code in parts[1:])
    return {
        "id": check.id,
        "name": check.id.title().replace("-", ""),
        "shortDescription": {"text": check.requirement},
        **({"helpUri": page} if (page := page_of(contract, check.id)) else {}),
        "fullDescription": {"text": f"{check.requirement} {check.remedy}"},
        "help": {"text": text, "markdown": f"{check.requirement}\n\n**Remedy** {check.remedy}\n\n{examples}\n"},
        "defaultConfiguration": {"level": LEVELS[check.level]},
        "properties": {"tags": [check.level], "precision": "very-high"},
    }


def _groups(report: Report) -> list[tuple[Finding, tuple[Finding, ...]]]:
    """The root findings with their followers, and waived checks without a finding."""
    reported = {finding.check for finding in report.findings}
    waived = [result for result in report.checks if result.status == "waived" and result.violated]
    return [*report.groups, *((_of_waived(result), ()) for result in waived if result.id not in reported)]


def _of_waived(result: CheckResult) -> Finding:
    what = f"required: {result.requirement}"
    return Finding(result.id, result.level, what, "", "", None, "", "", None, result.violated, result.evaluated)


def _result(report: Report, finding: Finding, followers: tuple[Finding, ...], index: dict[str, int]) -> dict[str, Any]:
    decides = report.decides(finding.level)
    data: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": index[finding.check],
        "level": LEVELS["MUST"] if decides else LEVELS[finding.level],
        "message": {"text": _message(finding, followers)},
        "locations": _locations(report, finding),
        "partialFingerprints": {FINGERPRINT: _fingerprint(report, finding)},
        "properties": {"candidate": report.candidate, "frequency": how_often(finding), **dict(details(finding))},
    }
    if followers:
        data["relatedLocations"] = [_related(report, follower) for follower in followers]
        data["properties"]["alsoBreaks"] = [follower.check for follower in followers]
    if status(report, finding) == "waived":
        reason = report.result(finding.check).reason
        data["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return data


def _related(report: Report, follower: Finding) -> dict[str, Any]:
    """The other places that show the cause; without one if the line is unknown."""
    place = next(iter(_locations(report, follower)), {})
    ((label, text),) = also_breaks((follower,))
    return {**place, "message": {"text": _plain(f"{label} {text}")}}


def _message(finding: Finding, followers: tuple[Finding, ...]) -> str:
    """What happened, and what to do; GitHub shows it as plain text."""
    kept = (*CASES.values(), "cause", "remedy", "replay")
    rows = [f"{label.capitalize()}: {text}" for label, text in details(finding) if label in kept]
    rows += [f"{label.capitalize()}: {text}" for label, text in also_breaks(followers)]
    return _plain("\n".join((headline(finding), *rows)))


def _plain(text: str) -> str:
    """Text in which nothing reads as a link, for a candidate may have made it (section 3.11.6)."""
    return text.replace("](", "] (")


def _locations(report: Report, finding: Finding) -> list[dict[str, Any]]:
    if (at := location(report, finding)) is None:
        return []
    physical: dict[str, Any] = {"artifactLocation": _artifact(at.file)}
    if at.line:
        snippet = {"snippet": {"text": finding.line.source}} if finding.line and finding.line.source else {}
        physical["region"] = {"startLine": at.line, **snippet}
    return [{"physicalLocation": physical}]


def _artifact(file: str) -> dict[str, str]:
    """A file, relative to a base as code hosts want it, where it lies below the current folder."""
    path = quote(file, errors="surrogatepass")
    return {"uri": f"file://{path}"} if file.startswith("/") else {"uri": path, "uriBaseId": BASE}


def _fingerprint(report: Report, finding: Finding) -> str:
    """A fingerprint of file, check and the line's text, which added lines do not change."""
    at = location(report, finding)
    text = finding.line.source if finding.line else ""
    content = json.dumps([at.file if at else report.candidate, finding.check, text])
    return hashlib.sha256(content.encode()).hexdigest()[:32]
