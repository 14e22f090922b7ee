"""Annotations of GitHub Actions: one command for each finding, which nothing in it can break out of."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest

from nnx_conformance.core.report import Report
from nnx_conformance.reports.formats import get
from reports import finding, hostile, report


def lines(*reports: Report) -> list[str]:
    file = io.StringIO()
    get("github").write(reports, file)
    return file.getvalue().split("\n")[:-1]


def test_a_finding_is_an_error_at_its_line() -> None:
    told, verdict = lines(report(finding()))
    assert told == (
        "::error title=wrapper-kept (MUST),file=work/solution.py,line=11::"
        "in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array"
        "%0Asmallest case: seed=0.0  x=[0.]  n_calls=1.0 (violated on 62 of 200 cases)"
        "%0Acause: assigning to the attribute replaces the Variable"
        "%0Aremedy: Write to the contents, `self.count[...] = self.count[...] + 1.0`."
        "%0Areplay: nnx-conformance replay .nnx-conformance/wrapper-kept-3f2a.json"
    )
    assert verdict == "nnx-conformance: solution.py does not conform; 1 of 13 MUST checks violated"


def test_advice_warns_after_the_errors_and_is_an_error_where_it_decides() -> None:
    advice = report(finding("quiet"))
    assert [line.split()[0] for line in lines(advice, report(finding()))[:2]] == ["::error", "::warning"]
    strict = dataclasses.replace(advice, settings=dataclasses.replace(advice.settings, strict=True))
    assert lines(strict)[0].startswith("::error ")


def test_what_is_waived_is_not_annotated() -> None:
    (verdict,) = lines(report(finding(), statuses={"wrapper-kept": ("waived", "known")}))
    assert verdict == "nnx-conformance: solution.py conforms; 0 of 13 MUST checks violated"


def test_signs_of_commands_are_escaped() -> None:
    told, _ = lines(report(finding(what="100%\r\nof it", line=None), source="a,b:c%.py"))
    assert told.startswith("::error title=wrapper-kept (MUST),file=a%2Cb%3Ac%25.py::100%25\\r%0Aof it%0A")


def test_a_candidate_without_a_verdict_is_an_error() -> None:
    told, _ = lines(report(failure="the calls cannot be seen"))
    assert told == "::error title=solution.py could not be judged,file=work/solution.py::the calls cannot be seen"


def test_what_a_candidate_writes_is_no_command() -> None:
    told = lines(hostile())
    assert [line.split(" ")[0] for line in told] == ["::error", "::error", "nnx-conformance:"]
    assert "##[" not in told[-1]
    assert "\x1b" not in "".join(told)


def test_files_are_relative_to_the_checkout_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").mkdir()
    monkeypatch.chdir(tmp_path / "part")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    below = Path("part", "work", "solution.py").as_posix()
    assert f",file={below},line=11::" in lines(report(finding()))[0]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert ",file=work/solution.py,line=11::" in lines(report(finding()))[0]
