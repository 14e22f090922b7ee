"""The formats of linters and courses: concise, GitLab, reviewdog, Gradescope; and how much a course lets through."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import pytest

from nnx_conformance.core.report import Report, WaiverUse
from nnx_conformance.reports.feedback import limited
from nnx_conformance.reports.formats import get
from reports import CONTRACT, finding, hostile, report

UNJUDGED = report(failure="the calls cannot be seen")
FOLLOWER = finding("count-equals-calls", because="wrapper-kept", what="result[0] is 0", line=None)


def text(form: str, *reports: Report, **options: object) -> str:
    file = io.StringIO()
    get(form).write(reports, file, **options)
    return file.getvalue()


def test_a_finding_is_one_line_at_its_place_the_root_first() -> None:
    assert text("concise", report(finding(), FOLLOWER, finding("quiet", what="it wrote"))).splitlines() == [
        f"work/solution.py:11: MUST wrapper-kept {finding().what}",
        "work/solution.py: MUST count-equals-calls result[0] is 0",
        "work/solution.py:11: SHOULD quiet it wrote",
    ]


def test_what_conforms_has_no_line_and_what_cannot_be_judged_has_one() -> None:
    assert text("concise", report()) == ""
    assert text("concise", UNJUDGED) == "work/solution.py: could not be judged: the calls cannot be seen\n"


def test_a_stale_waiver_is_a_line() -> None:
    stale = report(waivers=(WaiverUse("quiet", "solution.py", "known", "", "no longer needed"),))
    assert text("concise", stale).startswith("work/solution.py: MUST quiet the check holds, so its waiver")


def test_what_a_candidate_writes_stays_in_its_line() -> None:
    assert len(text("concise", hostile()).splitlines()) == 2
    assert "\x1b" not in text("concise", hostile())


#: An excerpt of what GitLab documents: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
PLACE: dict[str, Any] = {"type": "object", "properties": {"line": {"type": "integer", "minimum": 1}}}
#: An excerpt of reviewdog's `DiagnosticResult`: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf/jsonschema
RDJSON = {
    "type": "object",
    "required": ["diagnostics"],
    "properties": {
        "source": {"type": "object", "properties": {"name": {"type": "string"}, "url": {"type": "string"}}},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string"},
                    "location": {
                        "type": "object",
                        "required": ["path"],
                        "properties": {
                            "path": {"type": "string"},
                            "range": {"type": "object", "required": ["start"], "properties": {"start": PLACE}},
                        },
                    },
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {"type": "object", "properties": {"value": {"type": "string"}, "url": {"type": "string"}}},
                },
            },
        },
    },
}
#: An excerpt of what Gradescope documents: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
GRADESCOPE = {
    "type": "object",
    "required": ["tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "integer"},
        "output": {"type": "string"},
        "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "stdout_visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
                },
            },
        },
    },
}
SCHEMAS = {"gitlab": GITLAB, "rdjson": RDJSON, "gradescope": GRADESCOPE}


def data(form: str, *reports: Report, **options: object) -> Any:
    """What a format writes, valid."""
    found = json.loads(text(form, *reports, **options))
    jsonschema.Draft202012Validator(SCHEMAS[form]).validate(found)
    return found


@pytest.mark.parametrize("form", SCHEMAS)
@pytest.mark.parametrize("made", [report(), report(finding(), FOLLOWER), UNJUDGED, hostile()], ids=lambda _: "")
def test_every_report_is_valid(form: str, made: Report) -> None:
    data(form, made)
    data(form, made, report(candidate="other.py"))
    for feedback in ("verdict", "checks"):
        data(form, limited(made, feedback))


@pytest.mark.parametrize("form", SCHEMAS)
def test_the_schema_refuses_what_is_none(form: str) -> None:
    spoilt = json.loads(text(form, report(finding())).replace('"ERROR"', '"FATAL"').replace('"major"', '"bad"'))
    if form == "gradescope":
        spoilt["tests"][0]["status"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMAS[form]).validate(spoilt)


def test_gitlab_has_one_entry_for_a_root_which_stays_the_same_when_lines_move() -> None:
    (entry,) = data("gitlab", report(finding(), FOLLOWER))
    assert (entry["check_name"], entry["severity"]) == ("wrapper-kept", "major")
    assert entry["location"] == {"path": "work/solution.py", "lines": {"begin": 11}}
    line = finding().line
    assert line is not None
    moved = finding(line=type(line)(line.file, 99, line.source))
    assert data("gitlab", report(moved))[0]["fingerprint"] == entry["fingerprint"]


def test_gitlab_needs_a_line_where_none_is_known_and_takes_the_first() -> None:
    assert data("gitlab", UNJUDGED)[0]["location"]["lines"] == {"begin": 1}


def test_reviewdog_gets_line_severity_and_check() -> None:
    (found,) = data("rdjson", report(finding(), FOLLOWER))["diagnostics"]
    assert found["location"] == {"path": "work/solution.py", "range": {"start": {"line": 11}}}
    assert (found["severity"], found["code"]["value"]) == ("ERROR", "wrapper-kept")
    assert "also breaks: count-equals-calls (MUST): result[0] is 0" in found["message"]


def test_gradescope_gives_each_must_check_a_point() -> None:
    result = data("gradescope", report(finding()))
    musts = [check.id for check in CONTRACT.checks if check.level == "MUST"]
    assert [test["name"] for test in result["tests"]] == musts
    assert {test["name"]: test["score"] for test in result["tests"]}["wrapper-kept"] == 0
    assert result["score"] == len(musts) - 1


def test_gradescope_gives_the_points_of_the_settings_and_none_to_others() -> None:
    result = data("gradescope", report(finding()), points={"wrapper-kept": 5, "quiet": 2.5})
    scores = [(test["name"], test["score"], test["max_score"]) for test in result["tests"]]
    assert sorted(scores) == [("quiet", 2.5, 2.5), ("wrapper-kept", 0, 5)]


def test_gradescope_gives_nothing_without_a_verdict_and_names_each_of_several() -> None:
    result = data("gradescope", UNJUDGED, report(candidate="other.py"))
    assert {test["score"] for test in result["tests"] if test["name"].startswith("solution.py: ")} == {0}
    assert {test["score"] for test in result["tests"] if test["name"].startswith("other.py: ")} == {1}


def test_gradescope_gives_all_points_or_none_for_the_verdict() -> None:
    points = {"wrapper-kept": 5, "quiet": 2.5}
    for made, score in ((report(), 7.5), (report(finding()), 0), (UNJUDGED, 0)):
        assert data("gradescope", limited(made, "verdict"), points=points)["score"] == score
    assert data("gradescope", limited(report(), "verdict"))["score"] == 1


def test_gradescope_says_a_requirement_once() -> None:
    result = data("gradescope", limited(report(finding()), "checks"))
    (output,) = [test["output"] for test in result["tests"] if test["name"] == "wrapper-kept"]
    assert output.count(CONTRACT.check("wrapper-kept").requirement) == 1


SECRETS = ("self.count", "went from", "assigning", "seed=0.0", "smallest case", ":11", "nnx-conformance replay")


@pytest.mark.parametrize(
    "form", ["terminal", "concise", "markdown", "junit", "gradescope", "rdjson", "gitlab", "sarif"]
)
def test_feedback_on_checks_names_them_and_no_cause_line_case_or_value(form: str) -> None:
    shown = text(form, limited(report(finding()), "checks"))
    assert "wrapper-kept" in shown
    if form != "sarif":  # its rules tell how each check is kept
        assert [secret for secret in SECRETS if secret in shown] == []


def test_feedback_counts_cases_and_says_what_is_required() -> None:
    lines = text("terminal", limited(report(finding()), "checks")).splitlines()
    assert lines[:2] == [
        "wrapper-kept  MUST  violated on 62 of 200 cases",
        f"  required: {CONTRACT.check('wrapper-kept').requirement}",
    ]
    lines = text("terminal", limited(report(finding()), "verdict")).splitlines()
    assert lines[:2] == ["verdict  MUST  violated", "  required: The candidate keeps the contract mutability."]


@pytest.mark.parametrize("form", ["terminal", "concise", "markdown", "junit", "gradescope", "rdjson", "gitlab", "json"])
def test_feedback_of_the_verdict_names_no_check(form: str) -> None:
    shown = text(form, limited(report(finding()), "verdict"))
    assert [secret for secret in (*SECRETS, "wrapper-kept", "zero-calls") if secret in shown] == []


@pytest.mark.parametrize("made", [report(), report(finding()), UNJUDGED], ids=lambda made: made.verdict)
@pytest.mark.parametrize("feedback", ["verdict", "checks", "full"])
def test_no_feedback_changes_the_verdict(made: Report, feedback: Any) -> None:
    assert limited(made, feedback).verdict == made.verdict
