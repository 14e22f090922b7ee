"""The code around a finding: read by the judge, and only from files that are the candidate's."""

from __future__ import annotations

import linecache
import os
from pathlib import Path

import pytest

from nnx_conformance.core.candidate.target import Target, parse
from nnx_conformance.core.facts import Line
from nnx_conformance.core.report import Excerpt
from nnx_conformance.judging import excerpt
from nnx_conformance.judging.excerpt import SourceFile

SOURCE = "import helper\n\n\ndef first():\n\treturn 1\n\n\ndef second():\n    return 2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solution.py").write_text(SOURCE)
    (tmp_path / "helper.py").write_text("HELP = 1\n")
    (tmp_path / "other.py").write_text("SECRET = 1\n")
    return tmp_path


def source(target: str = "solution.py") -> SourceFile:
    source = excerpt.of_target(parse(target))
    assert source is not None
    return source


def around(line: Line) -> Excerpt | None:
    return source().around(line)


def test_the_lines_around_are_shown(folder: Path) -> None:
    assert around(Line("solution.py", 5, "return 1")) == Excerpt(
        1, ("import helper", "", "", "def first():", "    return 1", "", "", "def second():", "    return 2")
    )


def test_blank_lines_at_either_end_are_left_out(folder: Path) -> None:
    (folder / "solution.py").write_text(f"first = 1\n\n\n\nsecond = 2\n\n\n\n\n{SOURCE}")
    assert around(Line("solution.py", 5, "second = 2")) == Excerpt(1, ("first = 1", "", "", "", "second = 2"))


def test_a_helper_that_is_imported_is_shown(folder: Path) -> None:
    assert around(Line("helper.py", 1, "HELP = 1")) == Excerpt(1, ("HELP = 1",))


@pytest.mark.parametrize(
    "line",
    [
        Line("solution.py", 5, "return 2"),
        Line("solution.py", 6, ""),
        Line("solution.py", 99, "return 1"),
        Line("solution.py", 0, "return 2"),
        Line("other.py", 1, "SECRET = 1"),
        Line("missing.py", 1, "x"),
        Line("../outside.py", 1, "OUTSIDE = 1"),
    ],
    ids=lambda line: f"{line}",
)
def test_a_line_that_is_not_so_in_a_file_of_the_candidate_is_not(folder: Path, line: Line) -> None:
    (folder.parent / "outside.py").write_text("OUTSIDE = 1\n")
    assert around(line) is None


def test_a_link_out_of_the_folder_is_not_followed(folder: Path) -> None:
    (folder.parent / "outside.py").write_text("OUTSIDE = 1\n")
    (folder / "helper.py").unlink()
    (folder / "helper.py").symlink_to(folder.parent / "outside.py")
    assert around(Line("helper.py", 1, "OUTSIDE = 1")) is None


def test_a_pipe_does_not_hold_up_the_judge(folder: Path) -> None:
    (folder / "helper.py").unlink()
    os.mkfifo(folder / "helper.py")
    assert around(Line("helper.py", 1, "HELP = 1")) is None


def test_the_source_is_relative_where_it_lies_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source().name == "solution.py"
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert source("../solution.py").name == str(folder / "solution.py")


def test_a_cell_of_a_notebook_is_shown(folder: Path) -> None:
    cell = str(folder / "ipykernel_7" / "42.py")  # no such file: the cell lives where tracebacks look lines up
    linecache.cache[cell] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), cell)
    source = excerpt.of_object(cell)
    shown = source.around(Line("42.py", 9, "return 2"))
    assert shown == Excerpt(5, ("    return 1", "", "", "def second():", "    return 2"))
    assert source.name == ""


def test_a_module_is_found_without_importing_it(folder: Path) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("raise AssertionError('imported')\n")
    (folder / "package" / "mine.py").write_text(SOURCE)
    source = excerpt.of_target(Target("package.mine:f", "", "package.mine", "f"))
    assert source is not None and source.name == "package/mine.py"
    assert excerpt.of_target(Target("no.such:f", "", "no.such", "f")) is None
