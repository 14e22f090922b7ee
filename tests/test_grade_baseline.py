"""`grade --complete --write-baseline DAY`: what is broken today does not decide, and new findings do."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nnx_conformance.cli.group import cli
from nnx_conformance.grading import excusing
from nnx_conformance.project import baseline, settings
from reports import finding, report

GOOD, WRONG = ((Path(__file__).parent / "candidates" / name).read_text() for name in ("good.py", "loses_wrapper.py"))
FAST = ("--complete", "--max-examples", "2", "--jobs", "1", "-q", "--format", "jsonl")
TODAY, ENDS = datetime.date(2026, 5, 1), datetime.date(2026, 8, 1)


def grade(*options: str) -> Result:
    return CliRunner().invoke(cli, ["grade", "in", *FAST, *options], catch_exceptions=False)


@pytest.mark.medium
def test_a_baseline_is_written_excuses_and_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada.py").write_text(WRONG)
    assert grade().exit_code == 1

    written = grade("--write-baseline", "2099-12-31")
    assert written.exit_code == 0
    assert written.stderr.endswith("5 entries in nnx-baseline.toml, 5 of them new and until 2099-12-31\n")
    assert {waiver.candidate for waiver in baseline.read(tmp_path)} == {"in/ada.py"}

    (tmp_path / "in" / "bob.py").write_text(GOOD)
    again = grade()
    assert (again.exit_code, again.stderr) == (0, "nnx-baseline.toml excuses in/ada.py\n")

    (tmp_path / "in" / "ada.py").write_text(GOOD + "\n")
    fixed = grade()
    assert fixed.exit_code == 1
    assert "fixed: wrapper-kept of in/ada.py; --write-baseline DAY removes it from nnx-baseline.toml" in fixed.stderr
    assert grade("--write-baseline", "2099-12-31").exit_code == 0
    assert grade().exit_code == 0
    assert baseline.read(tmp_path) == ()


def test_a_new_finding_and_an_entry_that_has_ended_decide(tmp_path: Path) -> None:
    project = settings.find(tmp_path)
    old, new = report(finding("quiet", level="MUST")), report(finding("wrapper-kept"), finding("sum-preserved"))
    baseline.write(tmp_path, [("in/ada.py", report(finding("wrapper-kept")))], ENDS, TODAY)

    def only(*reports: object, today: datetime.date = TODAY) -> frozenset[str]:
        return excusing.excused(project, [("in/ada.py", each) for each in reports], today).only  # type: ignore[misc]

    assert only(report(finding("wrapper-kept"))) == {"in/ada.py"}
    assert only(new) == only(old) == only(report()) == frozenset()
    assert only(report(finding("wrapper-kept")), today=datetime.date(2026, 9, 1)) == frozenset()


def test_what_candidates_are_called(tmp_path: Path) -> None:
    project = settings.find(tmp_path)
    (tmp_path / "in").mkdir()
    assert excusing.name(project, str(tmp_path / "in"), "class/ada.py") == "in/class/ada.py"
    assert excusing.name(project, "all.jsonl", "ada") == "all.jsonl::ada"


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        (("in",), "Add --complete: a baseline is of all findings."),
        (("-", "--complete", "--format", "ndjson"), "Name a folder or a list, not `-`."),
    ],
)
def test_misuse(options: tuple[str, ...], fix: str) -> None:
    result = CliRunner().invoke(cli, ["grade", *options, "--write-baseline", "2099-12-31"])
    assert result.exit_code == 2
    assert f"but got --write-baseline='2099-12-31' (type=str). {fix}" in result.output
