"""Waivers: what they excuse, when they fail, and that they do not flicker."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnx_conformance.cli.group import cli
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import CheckResult, Finding, Report, Settings
from nnx_conformance.judging import check as checking
from nnx_conformance.project import candidates, stored_findings, waivers
from nnx_conformance.project.settings import Project
from nnx_conformance.project.waivers import Waiver
from nnx_conformance.reports.json import report_data, schema
from nnx_conformance.reports.terminal import report_text

CANDIDATES = Path(__file__).parent / "candidates"
TODAY = datetime.date(2026, 6, 1)


def finding(check: str) -> Finding:
    return Finding(check, "MUST", "what", "", "", None, "", "", None, 1, 3)


def made(**statuses: str) -> Report:
    """A report of checks by name and status; what is blocked is blocked by `lost`."""
    checks = tuple(
        CheckResult(name, "MUST", "Sentence.", status, 3, 0, ("lost",) if status == "blocked" else ())  # type: ignore[arg-type]
        for name, status in statuses.items()
    )
    findings = tuple(finding(name) for name, status in statuses.items() if status == "violated")
    return Report("a.py", "mutability", "1", Settings(), None, 3, checks, findings, 1.0)


def applied(report: Report, *given: Waiver, still: bool = False) -> Report:
    return waivers.applied(report, given, TODAY, lambda _: still)


def accounted(report: Report) -> dict[str, int]:
    data = json.loads(json.dumps(report_data(report)))
    jsonschema.validate({"schema_version": "1", "reports": [data]}, schema())
    counts = dict(data["accounting"])
    assert counts.pop("planned") == sum(counts.values())
    return {status: count for status, count in counts.items() if count}


def test_what_is_waived_is_counted_as_waived_and_conforms() -> None:
    report = applied(made(held="held", lost="violated"), Waiver("lost", "a.py", "taught in lesson 3"))
    assert report.verdict == "conforms"
    assert accounted(report) == {"held": 1, "waived": 1}
    assert report.result("lost").reason == "taught in lesson 3"
    assert report.findings == ()
    assert [(use.check, use.state, use.problem) for use in report.waivers] == [("lost", "in force", "")]
    assert report.waivers[0].finding is not None
    assert "waived 1       lost: taught in lesson 3" in report_text(report)


def test_a_waiver_excuses_no_check_that_its_own_one_blocks() -> None:
    report = applied(made(held="held", lost="violated", later="blocked"), Waiver("lost", "a.py", "x"))
    assert report.verdict == "does not conform"
    assert accounted(report) == {"held": 1, "blocked": 1, "waived": 1}
    told = " ".join(report_text(report).split())
    assert (
        "waived but still in the way: lost. Fix it, or waive what it blocks too; a waiver excuses its own check"
    ) in told
    both = applied(report, Waiver("later", "a.py", "x"))
    assert both.verdict == "conforms"
    assert accounted(both) == {"held": 1, "waived": 2}


def test_a_waiver_of_everything_is_no_verdict() -> None:
    report = applied(made(lost="violated"), Waiver("lost", "a.py", "x"))
    assert report.verdict == "could not be judged"


def test_a_waiver_that_is_not_needed_fails_and_says_to_remove_it() -> None:
    report = applied(made(held="held", kept="held"), Waiver("kept", "a.py", "once wrong"))
    assert (report.verdict, report.exit_status) == ("does not conform", 1)
    assert accounted(report) == {"held": 2}
    problem = "the check holds, so its waiver (once wrong) is no longer needed: remove it from pyproject.toml"
    assert report.waivers[0].problem == problem
    told = " ".join(report_text(report).split())
    assert told.startswith(f"kept waiver no longer needed {problem} ")
    assert "a waiver that is out of date decides against it: that of kept is no longer needed" in told


def test_a_glob_may_be_narrowed() -> None:
    report = applied(made(kept="held"), Waiver("kept", "*.py", "once wrong"))
    assert report.waivers[0].problem.endswith(": remove it from pyproject.toml, or narrow its `candidate`")


def test_a_stored_case_that_still_breaks_the_check_keeps_its_waiver() -> None:
    report = applied(made(held="held", rare="held"), Waiver("rare", "a.py", "x"), still=True)
    assert report.verdict == "conforms"
    assert accounted(report) == {"held": 1, "waived": 1}


def test_a_waiver_lasts_through_its_last_day() -> None:
    needed = made(held="held", lost="violated")
    assert applied(needed, Waiver("lost", "a.py", "x", TODAY)).verdict == "conforms"


def test_an_expired_waiver_excuses_nothing_and_fails() -> None:
    report = applied(made(held="held", lost="violated"), Waiver("lost", "a.py", "x", datetime.date(2026, 5, 31)))
    assert report.verdict == "does not conform"
    assert accounted(report) == {"held": 1, "violated": 1}
    assert report.waivers[0].problem == ("its waiver (x) expired on 2026-05-31: fix the code, or renew the waiver")
    assert "that of lost has expired" in " ".join(report_text(report).split())


def test_an_expired_waiver_fails_where_nothing_is_left_to_excuse() -> None:
    report = applied(made(held="held", lost="held"), Waiver("lost", "a.py", "x", datetime.date(2026, 5, 31)))
    assert report.verdict == "does not conform"


def test_what_does_not_apply_tells_nothing_of_its_waiver() -> None:
    report = applied(made(held="held", rare="not applicable"), Waiver("rare", "a.py", "x"))
    assert report.verdict == "conforms"
    assert accounted(report) == {"held": 1, "not_applicable": 1}


def test_a_waiver_of_a_check_that_was_not_asked_for_is_left_alone() -> None:
    assert applied(made(held="held"), Waiver("lost", "a.py", "x")).waivers == ()


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("a.py", "a.py", True),
        ("a.py", "b/a.py", False),
        ("*.py", "b/a.py", True),
        ("b/*", "b/a.py::count", True),
        ("a.py::count", "a.py::count", True),
        ("a.py::count", "a.py", False),
        ("a.py::c*", "a.py::count", True),
        ("tests.mine:*", "tests.mine:count", True),
    ],
)
def test_a_glob_names_candidates(pattern: str, name: str, matched: bool) -> None:
    assert candidates.matches(pattern, name) == matched


def waived(root: Path, candidate: str, check: str = "quiet") -> Project:
    (root / "solutions").mkdir(exist_ok=True)
    (root / "solutions" / "one.py").touch()
    return Project(root, root / "pyproject.toml", waivers=(Waiver(check, candidate, "x"),))


@pytest.mark.parametrize("candidate", ["solutions/one.py", "solutions/*", "solutions/one.py::count", "solutions.one:f"])
def test_a_waiver_of_a_file_that_is_not_judged_now_is_in_order(tmp_path: Path, candidate: str) -> None:
    candidates.known(waived(tmp_path, candidate), [])


@pytest.mark.parametrize(
    ("candidate", "fix"),
    [
        ("solution/one.py", "Did you mean 'solutions/one.py'?"),
        ("z", "Remove the waiver, or write the path from the project's root."),
    ],
)
def test_a_waiver_of_no_candidate_is_misuse(tmp_path: Path, candidate: str, fix: str) -> None:
    with pytest.raises(Misuse) as raised:
        candidates.known(waived(tmp_path, candidate), [])
    expected = f"Expected a candidate that exists but got candidate={candidate!r} (type=str). {fix}"
    assert str(raised.value) == f"{tmp_path / 'pyproject.toml'}: {expected}"


def test_a_waiver_of_no_check_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as raised:
        candidates.known_checks(waived(tmp_path, "one.py", "quite"))
    assert str(raised.value) == (
        f"{tmp_path / 'pyproject.toml'}: Expected the id of a check of contract 'mutability' but got check='quite' "
        "(type=str). Did you mean 'quiet'?"
    )


def settle(folder: Path, **fields: str) -> None:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
    (folder / "pyproject.toml").write_text(f"[[tool.nnx-conformance.waivers]]\n{lines}")


def check(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["check", *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


#: The count is wrong from four calls on, so that a smallest case is not the first one.
COUNTED = ("stops.py", "--check", "count-equals-calls", "--check", "returns-pair", "--format", "json")


@pytest.fixture
def stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a candidate that counts to three only."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stops.py").write_text((CANDIDATES / "stops_counting.py").read_text())
    return tmp_path


@pytest.mark.medium
def test_what_is_waived_is_not_shrunk_but_stored(stops: Path, capsys: Any) -> None:
    settle(stops, check="count-equals-calls", candidate="*.py", reason="lesson 3")
    status, out, err = check(capsys, *COUNTED, "--max-examples", "12")
    (report,) = json.loads(out)["reports"]
    assert (status, err) == (0, "")
    assert report["accounting"]["waived"] == 1
    assert report["findings"] == []
    (use,) = report["waivers"]
    assert use["finding"]["case"]["text"] != "seed=0.0  x=[0.]  n_calls=4.0"
    assert len(stored_findings.cases("stops.py", "mutability", "count-equals-calls")) == 1


@pytest.mark.slow
def test_a_waiver_does_not_flicker_when_the_drawn_cases_miss_the_fault(stops: Path, capsys: Any) -> None:
    few = (*COUNTED, "--max-examples", "1")  # too few to meet the fault
    settle(stops, check="count-equals-calls", candidate="*.py", reason="lesson 3")
    status, out, _ = check(capsys, *few)
    assert (status, json.loads(out)["reports"][0]["waivers"][0]["state"]) == (1, "no longer needed")
    assert check(capsys, *COUNTED, "--max-examples", "12")[0] == 0
    assert check(capsys, *few)[0] == 0
    (stops / "stops.py").write_text((CANDIDATES / "good.py").read_text())
    status, out, _ = check(capsys, *few)
    assert (status, json.loads(out)["reports"][0]["waivers"][0]["state"]) == (1, "no longer needed")


@pytest.mark.slow
def test_the_smallest_stored_case_is_kept_when_a_waiver_comes_later(stops: Path, capsys: Any) -> None:
    many = (*COUNTED, "--max-examples", "12")
    assert check(capsys, *many)[0] == 1
    settle(stops, check="count-equals-calls", candidate="*.py", reason="lesson 3")
    assert check(capsys, *many)[0] == 0
    (case,) = stored_findings.cases("stops.py", "mutability", "count-equals-calls")
    assert str(case) == "seed=0.0  x=[0.]  n_calls=4.0"


def test_the_waivers_of_another_contract_do_not_hold(tmp_path: Path) -> None:
    assert candidates.waivers_of(waived(tmp_path, "*"), "other", "one.py") == ()
    assert len(candidates.waivers_of(waived(tmp_path, "*"), "mutability", "one.py")) == 1


@pytest.mark.medium
def test_a_candidate_that_does_not_load_is_not_excused_by_a_waiver(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("1 / 0\n")
    settings, excuse = Settings(max_examples=1), (Waiver("returns-pair", "*", "x"),)
    waived = waivers.excused(excuse, TODAY)
    report = checking.judge_target(str(path), "mutability", settings, checking.Limits(), waived=waived)
    report = waivers.applied(report, excuse, TODAY, lambda _: False)
    assert report.verdict == "does not conform"
    assert accounted(report) == {"waived": 1, "blocked": len(contracts.get("mutability").checks) - 1}
