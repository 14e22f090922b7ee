"""SARIF 2.1.0: one run for each contract, one rule for each check, one result for each finding at its line.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TextIO
from urllib.parse import quote

from nnx_conformance import contract as contracts
from nnx_conformance.contract import Check, Contract
from nnx_conformance.formats.words import CASES, facts, how_often, place, status
from nnx_conformance.report import CheckResult, Finding, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: By MUST and SHOULD.
LEVELS = {"MUST": "error", "SHOULD": "warning"}
FINGERPRINT = "nnxConformanceFinding/v1"


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one log of all reports."""
    by_contract = dict.fromkeys(report.contract for report in reports)
    runs = [_run(contracts.get(name), [found for found in reports if found.contract == name]) for name in by_contract]
    json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, file, indent=2)
    file.write("\n")


def _run(contract: Contract, reports: list[Report]) -> dict[str, Any]:
    kit = version("nnx-conformance")
    rules = list(map(_rule, contract.checks))
    driver = {"name": "nnx-conformance", "version": kit, "semanticVersion": kit, "rules": rules}
    index = {check.id: at for at, check in enumerate(contract.checks)}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"nnx-conformance/{contract.name}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(reports)],
        "results": [_result(report, finding, index) for report in reports for finding in _findings(report)],
    }


def _invocation(reports: list[Report]) -> dict[str, Any]:
    failed = [report for report in reports if report.verdict == "could not be judged"]
    notes = [_note(report) for report in failed]
    return {"executionSuccessful": not failed, **({"toolExecutionNotifications": notes} if notes else {})}


def _note(report: Report) -> dict[str, Any]:
    text = f"{report.candidate} could not be judged: {report.failure or 'no check held'}"
    return {"level": "error", "message": {"text": _plain(text)}}


def _rule(check: Check) -> dict[str, Any]:
    parts = (("Remedy", check.remedy), ("Wrong", check.wrong), ("Right", check.right))
    text = "\n\n".join((check.requirement, *(f"{label}:\n{told}" for label, told in parts)))
    examples = "\n\n".join(f"**{label}**\n\n```python\n{code}\n```" for label, code in parts[1:])
    return {
        "id": check.id,
        "name": check.id.title().replace("-", ""),
        "shortDescription": {"text": check.requirement},
        "fullDescription": {"text": f"{check.requirement} {check.remedy}"},
        "help": {"text": text, "markdown": f"{check.requirement}\n\n**Remedy** {check.remedy}\n\n{examples}\n"},
        "defaultConfiguration": {"level": LEVELS[check.level]},
        "properties": {"tags": [check.level], "precision": "very-high"},
    }


def _findings(report: Report) -> list[Finding]:
    """The findings, and what is known of the waived checks that have none."""
    told = {finding.check for finding in report.findings}
    waived = [result for result in report.checks if result.status == "waived" and result.violated]
    return [*report.findings, *(_of_waived(result) for result in waived if result.id not in told)]


def _of_waived(result: CheckResult) -> Finding:
    what = f"broken: {result.requirement}"
    return Finding(result.id, result.level, what, "", "", None, "", "", None, result.violated, result.evaluated)


def _result(report: Report, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    decides = report.decides(finding.level)
    found: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": index[finding.check],
        "level": LEVELS["MUST"] if decides else LEVELS[finding.level],
        "message": {"text": _message(finding)},
        "locations": _locations(report, finding),
        "partialFingerprints": {FINGERPRINT: _fingerprint(report, finding)},
        "properties": {"candidate": report.candidate, "frequency": how_often(finding), **dict(facts(finding))},
    }
    if status(report, finding) == "waived":
        reason = report.result(finding.check).reason
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return found


def _message(finding: Finding) -> str:
    """What happened, and what to do; GitHub shows it as plain text."""
    kept = (*CASES.values(), "cause", "remedy", "replay")
    rows = [f"{label.capitalize()}: {text}" for label, text in facts(finding) if label in kept]
    return _plain("\n".join((finding.what, *rows)))


def _plain(text: str) -> str:
    """Text in which nothing reads as a link, for a candidate may have made it (section 3.11.6)."""
    return text.replace("](", "] (")


def _locations(report: Report, finding: Finding) -> list[dict[str, Any]]:
    if (at := place(report, finding)) is None:
        return []
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(at.file)}}
    if at.line:
        snippet = {"snippet": {"text": finding.line.source}} if finding.line and finding.line.source else {}
        physical["region"] = {"startLine": at.line, **snippet}
    return [{"physicalLocation": physical}]


def _uri(file: str) -> str:
    """Relative, as code hosts want it, where the file lies below the current folder."""
    path = quote(file, errors="surrogatepass")
    return f"file://{path}" if file.startswith("/") else path


def _fingerprint(report: Report, finding: Finding) -> str:
    """Stays when lines are added above: made of the file, the check and the text of the line."""
    at = place(report, finding)
    text = finding.line.source if finding.line else ""
    content = json.dumps([at.file if at else report.candidate, finding.check, text])
    return hashlib.sha256(content.encode()).hexdigest()[:32]
