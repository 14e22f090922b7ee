"""SARIF: of the published schema, a rule for each check, each finding at its line."""

from __future__ import annotations

import dataclasses
import io
import json
from email.message import Message
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnx_conformance.core.current import current_check, installed
from nnx_conformance.core.facts import Line
from nnx_conformance.core.report import Report
from nnx_conformance.reports import wording
from nnx_conformance.reports.formats import get
from reports import CONTRACT, finding, hostile, report

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text())


def log(*reports: Report) -> dict[str, Any]:
    """The log, valid."""
    file = io.StringIO()
    get("sarif").write(reports, file)
    found: dict[str, Any] = json.loads(file.getvalue())
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    return found


def only(*reports: Report) -> dict[str, Any]:
    (result,) = log(*reports)["runs"][0]["results"]
    return dict(result)


def test_the_schema_refuses_what_is_none() -> None:
    spoilt = log(report(finding()))
    spoilt["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SCHEMA).validate(spoilt)


def test_there_is_a_rule_for_each_check_with_its_help() -> None:
    rules = log(report())["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.id for check in CONTRACT.checks]
    for rule, check in zip(rules, CONTRACT.checks, strict=True):
        assert rule["shortDescription"]["text"] == check.requirement
        assert rule["defaultConfiguration"]["level"] == {"MUST": "error", "SHOULD": "warning"}[check.level]
        shown = current_check(check, installed())
        for part in (shown.requirement, shown.remedy, shown.wrong, shown.right):
            assert part in rule["help"]["text"]
            assert part in rule["help"]["markdown"]


def test_a_finding_is_at_its_line_in_a_relative_file() -> None:
    result = only(report(finding()))
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "work/solution.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 11, "snippet": {"text": "self.count = self.count + 1.0"}},
            }
        }
    ]
    rules = log(report(finding()))["runs"][0]["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "wrapper-kept"


def test_the_tool_and_its_rules_lead_to_their_pages_where_the_package_names_its_documentation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = Message()
    named["Project-URL"] = "Documentation, https://kit.example/docs/"
    monkeypatch.setattr(wording, "metadata", lambda _: named)
    run = log(report())["runs"][0]
    driver = run["tool"]["driver"]
    assert driver["informationUri"] == "https://kit.example/docs"
    assert {rule["helpUri"] for rule in driver["rules"]} == {
        f"https://kit.example/docs/checks/mutability/{check.id}.html" for check in CONTRACT.checks
    }
    assert list(run["originalUriBaseIds"]) == ["%SRCROOT%"]


def test_a_finding_in_another_folder_of_the_project_is_at_its_line() -> None:
    (location,) = only(report(finding(line=Line("../src/mine.py", 3, "x"), file="src/mine.py")))["locations"]
    physical = location["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("src/mine.py", 3)


def test_a_finding_without_a_line_is_at_its_file() -> None:
    (location,) = only(report(finding(line=None)))["locations"]
    assert location == {"physicalLocation": {"artifactLocation": {"uri": "work/solution.py", "uriBaseId": "%SRCROOT%"}}}


@pytest.mark.parametrize("file", ["/etc/passwd", "../../secret.py"])
def test_a_line_that_leads_out_of_the_folder_is_not_followed(file: str) -> None:
    (location,) = only(report(finding(line=Line(file, 3, "x"))))["locations"]
    assert location == {"physicalLocation": {"artifactLocation": {"uri": "work/solution.py", "uriBaseId": "%SRCROOT%"}}}


def test_a_file_name_becomes_a_uri() -> None:
    (location,) = only(report(finding(line=None), source="my work/50%.py"))["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "my%20work/50%25.py"
    (location,) = only(report(finding(line=None), source="/far/away.py"))["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "file:///far/away.py"


def test_advice_warns_and_fails_where_it_decides() -> None:
    advice = report(finding("quiet"))
    assert only(advice)["level"] == "warning"
    assert (
        only(dataclasses.replace(advice, settings=dataclasses.replace(advice.settings, strict=True)))["level"]
        == "error"
    )


@pytest.mark.parametrize("found", [(finding(),), ()], ids=["with its finding", "counted only"])
def test_what_is_waived_is_suppressed_with_the_reason(found: tuple[Any, ...]) -> None:
    result = only(report(*found, statuses={"wrapper-kept": ("waived", "known, see issue 7")}))
    assert result["ruleId"] == "wrapper-kept"
    assert result["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "known, see issue 7"}]


def test_a_fingerprint_stays_when_the_line_moves() -> None:
    def fingerprint(line: Line) -> Any:
        return only(report(finding(line=line)))["partialFingerprints"]

    here = fingerprint(Line("solution.py", 11, "self.count = self.count + 1.0"))
    assert fingerprint(Line("solution.py", 99, "self.count = self.count + 1.0")) == here
    assert fingerprint(Line("solution.py", 11, "self.count = 2.0")) != here


def test_a_candidate_without_a_verdict_is_told() -> None:
    (invocation,) = log(report(failure="the calls cannot be seen"))["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"] == "solution.py could not be judged: the calls cannot be seen"


def test_one_run_holds_all_candidates() -> None:
    (run,) = log(report(finding()), report(finding(), candidate="other.py", source="work/other.py"))["runs"]
    assert [result["properties"]["candidate"] for result in run["results"]] == ["solution.py", "other.py"]


def test_what_a_candidate_writes_makes_no_link() -> None:
    result = only(hostile())
    assert "](" not in result["message"]["text"]
    assert "[click] (https://evil.example)" in result["message"]["text"]
