"""`check --write-baseline`: what is broken today becomes waivers that end, so that new findings alone fail."""

from __future__ import annotations

import dataclasses
import datetime
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnx_conformance.cli.group import cli
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Report, WaiverUse
from nnx_conformance.project import baseline, candidates, settings
from reports import finding, report

CANDIDATES = Path(__file__).parent / "candidates"
TODAY, ENDS = datetime.date(2026, 5, 1), datetime.date(2026, 8, 1)


def violating() -> Report:
    return report(finding("wrapper-kept"), statuses={"result-reads-state": ("blocked", "wrapper-kept")})


def conforming() -> Report:
    return report()


def entries(root: Path) -> list[tuple[str, str]]:
    return [(waiver.check, str(waiver.expires)) for waiver in baseline.read(root)]


def test_violated_and_blocked_checks_are_recorded_and_leave_once_they_hold(tmp_path: Path) -> None:
    change = baseline.write(tmp_path, [("solution.py", violating())], ENDS, TODAY)
    broken = baseline.broken(violating())
    assert broken == ["wrapper-kept", "result-reads-state"]
    assert (change.entries, change.new, change.gone) == (len(broken), len(broken), ())
    assert entries(tmp_path) == sorted((check, "2026-08-01") for check in broken)

    later = datetime.date(2027, 1, 1)
    again = baseline.write(tmp_path, [("solution.py", violating())], later, TODAY)
    assert (again.new, entries(tmp_path)) == (0, sorted((check, "2026-08-01") for check in broken))
    renewed = baseline.write(tmp_path, [("solution.py", violating())], later, datetime.date(2026, 9, 1))
    assert (renewed.new, entries(tmp_path)) == (0, sorted((check, "2027-01-01") for check in broken))

    fixed = baseline.write(tmp_path, [("solution.py", conforming())], later, TODAY)
    assert (fixed.entries, [waiver.check for waiver in fixed.gone]) == (0, sorted(broken))


def test_entries_of_candidates_that_were_not_judged_stay(tmp_path: Path) -> None:
    baseline.write(tmp_path, [("a.py", violating())], ENDS, TODAY)
    baseline.write(tmp_path, [("b.py", violating())], ENDS, TODAY)
    assert {waiver.candidate for waiver in baseline.read(tmp_path)} == {"a.py", "b.py"}


def test_an_entry_excuses_its_own_candidate_under_its_own_contract(tmp_path: Path) -> None:
    report = dataclasses.replace(violating(), contract="lifted")
    baseline.write(tmp_path, [("a.py", report)], ENDS, TODAY)
    project = settings.find(tmp_path)
    assert project.contract == "mutability"
    assert candidates.waivers_of(project, "lifted", str(tmp_path / "a.py"))
    assert not candidates.waivers_of(project, "mutability", str(tmp_path / "a.py"))
    assert not candidates.waivers_of(project, "lifted", str(tmp_path / "b.py"))


def test_a_damaged_baseline_is_misuse(tmp_path: Path) -> None:
    (tmp_path / baseline.NAME).write_text('[[waivers]]\ncheck = "a"\n')
    with pytest.raises(
        Misuse, match=r"nnx-baseline.toml cannot be read as a baseline: KeyError\('candidate'\). Remove it"
    ):
        settings.find(tmp_path)


def test_a_day_that_is_none_or_over_is_misuse() -> None:
    fix = re.escape("Write the last day on which it excuses: `--write-baseline 2026-07-30`.")
    for given, what in (("soon", "a day"), ("2026-05-01", "a day to come")):
        with pytest.raises(Misuse, match=f"Expected {what} but got --write-baseline='{given}' .type=str.. {fix}"):
            baseline.day("--write-baseline", given, TODAY)
    assert baseline.day("--write-baseline", "2026-08-01", TODAY) == ENDS


def test_an_entry_that_is_not_needed_says_how_it_leaves() -> None:
    use = WaiverUse("quiet", "a.py", "baseline of 2026-05-01", "2026-08-01", "no longer needed")
    assert use.problem == (
        "the check holds, so its waiver (baseline of 2026-05-01) is no longer needed: "
        "`nnx-conformance check --write-baseline DAY` removes it"
    )


@pytest.mark.slow
def test_a_gate_is_switched_on_with_a_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("solution.py").write_text((CANDIDATES / "loses_wrapper.py").read_text())

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["check", "solution.py", "--max-examples", "2", *words])
        return result.exit_code, result.output

    day = str(datetime.date.today() + datetime.timedelta(days=30))
    status, text = run("--write-baseline", day)
    assert (status, text.splitlines()[-1]) == (0, f"5 entries in nnx-baseline.toml, 5 of them new and until {day}")
    status, text = run()
    assert status == 0, text
    Path("solution.py").write_text((CANDIDATES / "good.py").read_text())
    assert run()[0] == 1
    status, text = run("--write-baseline", day)
    assert (status, text.splitlines()[-1]) == (0, f"0 entries in nnx-baseline.toml, 0 of them new and until {day}")
    assert "fixed: wrapper-kept of solution.py" in text


def test_a_baseline_is_of_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("solution.py").write_text("")
    words = ["check", "solution.py", "--check", "quiet", "--write-baseline", "2999-01-01"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "Expected no --check with --write-baseline but got --check=('quiet',)" in result.output
