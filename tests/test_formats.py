"""Asking for formats on the command line: names, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance import Misuse
from nnx_conformance.cli.group import cli
from nnx_conformance.cli.outputs import outputs, write
from nnx_conformance.reports import formats

GOOD = str(Path(__file__).parent / "candidates" / "good.py")
FEW = ("--max-examples", "2", "--check", "returns-pair")
STARTS = {
    "terminal": "checks\n",
    "concise": "",
    "json": "{",
    "junit": "<?xml",
    "sarif": '{\n  "$schema"',
    "github": "nnx-conformance: ",
    "gitlab": "[]",
    "rdjson": "{",
    "gradescope": "{",
    "markdown": "<!-- nnx-conformance -->",
    "html": "<!doctype html>",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run a command in an empty folder; gives its exit status, its output and its errors."""
    monkeypatch.chdir(tmp_path)

    def run(*given: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli([*given], prog_name="nnx-conformance")
        told = capfd.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


def test_the_formats_are_those_that_are_promised() -> None:
    assert list(formats.FORMATS) == list(STARTS)


@pytest.mark.medium
def test_every_format_in_one_run_each_in_its_file(run: Any, tmp_path: Path) -> None:
    asked = [word for name in STARTS for word in ("--format", f"{name}={name}.out")]
    assert run("check", GOOD, *FEW, *asked) == (0, "", "")
    for name, start in STARTS.items():
        assert (tmp_path / f"{name}.out").read_text().startswith(start), name


@pytest.mark.slow
def test_one_format_on_the_screen_and_another_in_a_file(run: Any, tmp_path: Path) -> None:
    status, out, err = run("check", GOOD, *FEW, "--format", "sarif=a/b.sarif", "--format", "terminal")
    assert (status, err) == (2, "nnx-conformance: Expected a file that can be written but got --format='a/b.sarif' "
                                "(type=str). No such file or directory.\n")  # fmt: skip
    (tmp_path / "a").mkdir()
    status, out, err = run("check", GOOD, *FEW, "--format", "sarif=a/b.sarif", "--format", "terminal")
    assert (status, err) == (0, "")
    assert f"{GOOD} conforms" in out.replace("\n", "")
    assert json.loads((tmp_path / "a" / "b.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.slow
def test_output_names_the_file_of_the_format_that_has_none(run: Any, tmp_path: Path) -> None:
    assert run("check", GOOD, *FEW, "--format", "junit", "--output", "r.xml", "--format", "json=r.json") == (0, "", "")
    assert (tmp_path / "r.xml").read_text().startswith("<?xml")
    assert (tmp_path / "r.json").read_text().startswith("{")


@pytest.mark.slow
def test_a_page_on_the_screen_is_utf_8(run: Any) -> None:
    status, out, err = run("check", GOOD, *FEW, "--format", "html")
    assert (status, err) == (0, "")
    assert (out.startswith("<!doctype html>") and "·" in out) or "held" in out


@pytest.mark.parametrize(
    ("given", "output", "message"),
    [
        (["jnuit"], None, "Expected a known format but got --format='jnuit' (type=str). Did you mean 'junit'?"),
        (
            ["pdf=r.pdf"],
            None,
            "Expected a known format but got --format='pdf' (type=str). "
            "Known: concise, github, gitlab, gradescope, html, json, junit, markdown, rdjson, sarif, terminal.",
        ),
        (["html="], None, "Expected a file after `=` but got --format='html=' (type=str). Write `--format html=FILE`."),
        (
            ["json", "html"],
            None,
            "Expected at most one --format without a file but got --format='json, html' (type=str). "
            "Give it a file, `--format html=FILE`.",
        ),
        (
            ["html=r.html"],
            Path("r"),
            "Expected one --format without a file but got --output='r' (type=str). Leave out --output.",
        ),
    ],
)
def test_misuse_says_what_to_write(given: list[str], output: Path | None, message: str) -> None:
    with pytest.raises(Misuse) as misuse:
        outputs(given, output)
    assert str(misuse.value) == message


def test_a_file_that_cannot_be_written_after_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = outputs(["json"], Path("r.json"))
    Path("r.json").mkdir()
    with pytest.raises(Misuse) as misuse:
        write([], wanted)
    assert str(misuse.value) == (
        "Expected a file that can be written but got --output='r.json' (type=str). Is a directory."
    )


def test_a_wrong_target_leaves_no_empty_report(run: Any, tmp_path: Path) -> None:
    assert run("check", "missing.py", "--format", "json=r.json")[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_two_formats_in_one_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misuse) as misuse:
        outputs(["json=r", "html=./r"], None)
    path = str(tmp_path / "r")
    assert str(misuse.value) == (
        f"Expected a file for each format but got --format={path!r} (type=str). Give each format its own file."
    )


def test_misuse_is_exit_status_2_before_anything_runs(run: Any) -> None:
    status, out, err = run("check", GOOD, "--format", "htlm")
    assert (status, out) == (2, "")
    assert err == (
        "nnx-conformance: Expected a known format but got --format='htlm' (type=str). Did you mean 'html'?\n"
    )
