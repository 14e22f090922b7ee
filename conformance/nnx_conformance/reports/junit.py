"""JUnit XML: one test suite for each candidate, one test case for each check.

What decides the verdict fails; advice, and what was blocked, waived or does not apply, is skipped with the reason. So a
suite without failures and errors is a candidate that conforms.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from nnx_conformance.core.report import CheckResult, Finding, Report
from nnx_conformance.reports.wording import (
    accounting,
    broken,
    details,
    headline,
    how_often,
    location,
    open_findings,
    place,
    setting,
    why_not,
)

#: What XML 1.0 cannot hold, not even escaped.
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one document of all reports."""
    root = ET.Element("testsuites")
    for number, report in enumerate(reports):
        _suite(root, number, report)
    ET.indent(root)
    file.write('<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def _suite(root: ET.Element, number: int, report: Report) -> None:
    suite = _element(root, "testsuite", name=report.candidate, id=str(number), package=report.contract)
    properties = _element(suite, "properties")
    for name, value in _properties(report).items():
        _element(properties, "property", name=name, value=value)
    findings = {finding.check: finding for finding in open_findings(report)}
    for result in report.checks:
        _case(suite, report, result, findings.get(result.id))
    if report.verdict == "could not be judged":
        case = _element(suite, "testcase", name="verdict", classname=report.candidate, time="0")
        _element(case, "error", message=report.failure or "no check held", type=report.verdict)
    _element(suite, "system-out").text = _text(f"{report.candidate} {report.verdict}\n{broken(report)}")
    _element(suite, "system-err")
    suite.attrib.update(_counts(suite, report))


def _counts(suite: ET.Element, report: Report) -> dict[str, str]:
    """The counts of a suite, and the time of writing in UTC, without a zone."""
    kinds = {"tests": "testcase", "failures": ".//failure", "errors": ".//error", "skipped": ".//skipped"}
    counts = {name: str(len(suite.findall(kind))) for name, kind in kinds.items()}
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {**counts, "time": f"{report.seconds:.3f}", "timestamp": moment, "hostname": "localhost"}


def _properties(report: Report) -> dict[str, str]:
    return {"verdict": report.verdict, "accounting": accounting(report), "setting": setting(report)}


def _case(suite: ET.Element, report: Report, result: CheckResult, finding: Finding | None) -> None:
    seconds = f"{report.seconds / len(report.checks):.3f}"  # all are judged in one run; together they take its time
    where = _where(report, finding)
    case = _element(suite, "testcase", name=result.id, classname=report.candidate, time=seconds, **where)
    if finding is not None and report.decides(finding.level):
        failure = _element(case, "failure", message=headline(finding), type=finding.level)
        failure.text = _text(_body(report, finding))
    elif finding is not None:
        skipped = _element(case, "skipped", message=f"advice, {how_often(finding)}: {headline(finding)}")
        skipped.text = _text(_body(report, finding))
    elif result.status == "blocked" and report.decides(result.level) and not _fails(report):
        _element(case, "failure", message=why_not(result), type=result.level)
    elif result.status != "held":
        _element(case, "skipped", message=why_not(result) or result.status)


def _where(report: Report, finding: Finding | None) -> dict[str, str]:
    """The place of a failure as pytest writes it, where GitLab, CircleCI and editors look."""
    if (at := location(report, finding)) is None:
        return {}
    return {"file": at.file, **({"line": str(at.line)} if at.line else {})}


def _fails(report: Report) -> bool:
    """Whether a check that decides is violated; else what is blocked must fail by itself."""
    return any(report.decides(finding.level) for finding in open_findings(report))


def _body(report: Report, finding: Finding) -> str:
    line = f"{place(report, finding)}   {finding.line.source}" if finding.line else ""
    rows = [how_often(finding), line, *(f"{label:<15}{text}" for label, text in details(finding))]
    return "\n" + "\n".join(filter(None, rows)) + "\n"


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {name: _text(value) for name, value in attributes.items()})


def _text(text: str) -> str:
    return NO_XML.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
