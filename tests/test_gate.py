"""The verdict by Flax line, made from the reports of several environments."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.cli import gate


def report(
    verdict: str = "conforms", *, candidate: str = "solution.py", flax: str = "0.12.8", **more: Any
) -> dict[str, Any]:
    return {
        "candidate": candidate,
        "verdict": verdict,
        "failure": "",
        "versions": {"python": "3.11.7", "jax": "0.10.2", "flax": flax, "kit": "0.1.0"},
        "settings": {"strict": False},
        "checks": [],
        "findings": [],
    } | more


def finding(check: str, level: str = "MUST") -> dict[str, Any]:
    return {"check": check, "level": level, "what": f"{check} was broken", "remedy": f"Fix {check}."}


def store(folder: Path, name: str, *reports: dict[str, Any], version: str = "1") -> None:
    (folder / f"{name}.json").write_text(json.dumps({"schema_version": version, "reports": reports}))


def run(capsys: pytest.CaptureFixture[str], folder: Path, *names: str) -> tuple[int, str]:
    status = gate.main([str(folder), *names])
    return status, capsys.readouterr().out


def test_all_lines_that_conform_end_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path, "gate-py311-flax08", report(flax="0.8.5"))
    store(tmp_path, "gate-py311-flax012", report())
    status, out = run(capsys, tmp_path, "gate-py311-flax08", "gate-py311-flax012")
    assert status == 0
    assert "verdicts: 2 conforms" in out


def test_the_table_shows_the_verdict_and_the_violated_checks_of_every_line_in_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, "gate-py311-flax08", report(flax="0.8.5"))
    findings = [finding("wrapper-kept"), finding("quiet", "SHOULD")]
    store(tmp_path, "gate-py311-flax012", report("does not conform", findings=findings))
    status, out = run(capsys, tmp_path, "gate-py311-flax08", "gate-py311-flax012", "gate-py313-flaxnew")
    assert status == 1
    assert [line.rstrip() for line in out.splitlines()] == [
        "solution.py",
        "",
        "  environment     Flax     JAX      verdict            why",
        " " + 73 * "─",
        "  py311-flax08    0.8.5    0.10.2   conforms",
        "  py311-flax012   0.12.8   0.10.2   does not conform   wrapper-kept",
        "  py313-flaxnew                     not run            it wrote no report",
        "",
        "wrapper-kept  first in py311-flax012",
        "  wrapper-kept was broken",
        "  remedy: Fix wrapper-kept.",
        "",
        "verdicts: 1 conforms, 1 does not conform, 1 not run",
    ]


def test_a_check_violated_on_several_lines_is_explained_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        store(tmp_path, name, report("does not conform", findings=[finding("wrapper-kept")]))
    _, out = run(capsys, tmp_path, "a", "b")
    assert out.count("Fix wrapper-kept.") == 1


def test_advice_is_told_where_strict_lets_it_decide(tmp_path: Path) -> None:
    store(tmp_path, "a", report("does not conform", findings=[finding("quiet", "SHOULD")], settings={"strict": True}))
    assert [row.why for row in gate.read(tmp_path, "a")] == ["quiet"]


def test_blocked_checks_are_told_when_they_alone_decide(tmp_path: Path) -> None:
    checks = [{"id": "sum-preserved", "level": "MUST", "status": "blocked"}]
    store(tmp_path, "a", report("does not conform", checks=checks))
    assert [row.why for row in gate.read(tmp_path, "a")] == ["sum-preserved (blocked)"]


def test_a_waiver_that_is_out_of_date_is_told(tmp_path: Path) -> None:
    waivers = [{"check": "quiet", "state": "no longer needed"}, {"check": "long-x", "state": "in force"}]
    store(tmp_path, "a", {**report("does not conform"), "waivers": waivers})
    assert [row.why for row in gate.read(tmp_path, "a")] == ["quiet (waiver no longer needed)"]


def test_an_environment_without_a_report_did_not_run_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, "a", report())
    status, out = run(capsys, tmp_path, "a", "b")
    assert status == 1
    assert "not run" in out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its report cannot be read: it is empty, so judging ended early"),
        ("{", "its report cannot be read: Expecting property name enclosed in double quotes"),
        (
            '{"schema_version": "2", "reports": []}',
            "its report cannot be read: its schema_version is '2', expected '1'",
        ),
        ('{"schema_version": "1", "reports": []}', "its report cannot be read: it holds no candidate"),
        ('{"schema_version": "1", "reports": [{}]}', "its report is not of the published form"),
        ("[]", "its report is not of the published form"),
        ("\udcff", "its report cannot be read: 'utf-8' codec can't decode"),
    ],
)
def test_a_report_that_cannot_be_read_is_no_verdict_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    (row,) = gate.read(tmp_path, "a")
    assert (row.verdict, row.why[: len(why)]) == ("could not be judged", why)
    assert run(capsys, tmp_path, "a")[0] == 1


def test_an_unknown_verdict_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path, "a", report("fine"))
    status, out = run(capsys, tmp_path, "a")
    assert status == 1
    assert "unknown verdict 'fine'" in " ".join(out.split())


def test_every_report_of_a_folder_is_read_when_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, "b", report())
    store(tmp_path, "a", report("could not be judged", failure="its process did not start", versions=None))
    status, out = run(capsys, tmp_path)
    assert status == 1
    assert "verdicts: 1 conforms, 1 could not be judged" in out


def test_a_folder_without_reports_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = run(capsys, tmp_path)
    assert status == 1
    assert "verdicts: none" in out


def test_each_candidate_has_a_table_and_a_line_that_did_not_run_is_in_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path, "a", report(candidate="one.py"), report(candidate="two.py"))
    _, out = run(capsys, tmp_path, "a", "b")
    assert "one.py" in out
    assert "two.py" in out
    assert out.count("it wrote no report") == 2


@pytest.mark.parametrize(("arguments", "given"), [([], "no argument"), (["nowhere"], "folder='nowhere' (type=str)")])
def test_misuse_says_what_was_expected_and_how_to_fix_it(
    capsys: pytest.CaptureFixture[str], arguments: list[str], given: str
) -> None:
    assert gate.main(arguments) == 2
    assert capsys.readouterr().err == (
        f"nnx-conformance: Expected a folder of JSON reports but got {given}. Write them with `nnx-conformance check "
        "--format json --output FOLDER/NAME.json` and run `python -m nnx_conformance.cli.gate FOLDER [NAME...]`.\n"
    )


def test_it_reads_the_form_that_the_kit_writes() -> None:
    from nnx_conformance.reports.json import SCHEMA_VERSION
    from nnx_conformance.reports.terminal import COLOURS

    assert gate.SCHEMA_VERSION == SCHEMA_VERSION
    assert set(COLOURS) == set(gate.COLOURS) - {gate.NOT_RUN}


def test_summing_up_imports_neither_jax_nor_numpy() -> None:
    code = (
        "import sys, nnx_conformance.cli.gate; print(sorted({'jax', 'flax', 'numpy', 'hypothesis'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
