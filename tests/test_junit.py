"""JUnit XML: of the usual schema, read by a consumer, and failing exactly where the verdict does."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest
import xmlschema

from nnx_conformance.core.report import Report
from nnx_conformance.reports.formats import get
from reports import finding, hostile, report

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))
ADVICE = finding("quiet", what="it wrote 3 characters")
BLOCKED = {"counts-in-variable": ("blocked", "wrapper-kept")}


def written(*reports: Report) -> str:
    file = io.StringIO()
    get("junit").write(reports, file)
    return file.getvalue()


def read(*reports: Report) -> list[junitparser.TestSuite]:
    """As a CI server reads it."""
    text = written(*reports).encode("utf-8", "backslashreplace")
    # pytest, GitLab and CircleCI have these two attributes of a test case, which the schema lacks.
    SCHEMA.validate(io.BytesIO(re.sub(rb'( file="[^"]*")( line="\d+")?(?=[ />])', b"", text)))
    return list(junitparser.JUnitXml.fromstring(text))


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMA.validate(io.BytesIO(written(report()).replace("<testcase ", "<test ", 1).encode()))


def test_a_candidate_that_conforms_has_no_failure() -> None:
    (suite,) = read(report(ADVICE))
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("solution.py", 27, 0, 0, 1)


def test_a_violated_check_fails_with_its_finding() -> None:
    (suite,) = read(report(finding(), statuses=BLOCKED))
    (failed,) = [case for case in suite if any(isinstance(one, junitparser.Failure) for one in case.result)]
    (failure,) = failed.result
    assert (failed.name, failed.classname) == ("wrapper-kept", "solution.py")
    assert (failure.type, failure.message) == ("MUST", finding().what)
    assert "solution.py:11   self.count = self.count + 1.0" in failure.text
    assert "smallest case  seed=0.0  x=[0.]  n_calls=1.0" in failure.text
    assert (suite.failures, suite.skipped) == (1, 1)


def test_a_case_has_file_line_and_its_share_of_the_time() -> None:
    (suite,) = ElementTree.fromstring(written(report(finding())))
    (failed,) = [case for case in suite.iter("testcase") if case.get("name") == "wrapper-kept"]
    assert (failed.get("file"), failed.get("line")) == ("work/solution.py", "11")
    times = [float(case.get("time", "")) for case in suite.iter("testcase")]
    assert sum(times) == pytest.approx(float(suite.get("time", "")), abs=0.05)


@pytest.mark.parametrize(
    ("status", "why", "message"),
    [
        ("blocked", "wrapper-kept", "blocked by wrapper-kept"),
        ("waived", "known, see issue 7", "waived: known, see issue 7"),
        ("not applicable", "the calls ran inside a trace", "not applicable: the calls ran inside a trace"),
    ],
)
def test_what_was_not_judged_is_skipped_with_the_reason(status: str, why: str, message: str) -> None:
    (suite,) = read(report(finding(), statuses={"counts-in-variable": (status, why)}))
    (case,) = [case for case in suite if case.name == "counts-in-variable"]
    assert [(type(one), one.message) for one in case.result] == [(junitparser.Skipped, message)]


def test_advice_is_skipped_and_fails_where_it_decides() -> None:
    (suite,) = read(report(ADVICE))
    (case,) = [case for case in suite if case.name == "quiet"]
    assert case.result[0].message == "advice, violated on 62 of 200 cases: it wrote 3 characters"
    strict = report(ADVICE, settings=dataclasses.replace(report().settings, strict=True))
    assert read(strict)[0].failures == 1


def test_a_blocked_check_fails_where_what_blocks_it_is_not_reported() -> None:
    alone = report(statuses=BLOCKED)
    assert alone.verdict == "does not conform"
    assert read(alone)[0].failures == 1


def test_a_candidate_without_a_verdict_is_an_error() -> None:
    (suite,) = read(report(failure="the calls cannot be seen"))
    (case,) = [case for case in suite if case.name == "verdict"]
    assert (suite.errors, case.result[0].message) == (1, "the calls cannot be seen")


def test_one_suite_for_each_candidate() -> None:
    suites = read(report(), report(finding(), candidate="other.py"))
    assert [(suite.name, suite.failures) for suite in suites] == [("solution.py", 0), ("other.py", 1)]


def test_what_a_candidate_writes_stays_text() -> None:
    (suite,) = read(hostile())
    (failed,) = [case for case in suite if case.name == "wrapper-kept"]
    assert "<script>alert(1)</script>" in failed.result[0].text
    assert r"\x00\x1b[31m" in failed.result[0].message
