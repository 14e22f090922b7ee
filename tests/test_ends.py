"""How a process ended is a type: what a candidate raises or returns cannot be mistaken for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import nnx_conformance
from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits
from nnx_conformance.project import cache
from test_cli import run_process

HEAD = "import os\n\n\ndef mutability_increment_count(seed, x, n_calls):\n"
#: By the word that it takes for itself.
IMPOSTORS = {
    "a class named crashed": '    raise type("crashed", (Exception,), {})("not a crash")\n',
    "a class named timed out": '    raise type("timed out", (Exception,), {})("in time")\n',
    "a class named malformed": '    raise type("malformed", (Exception,), {})("well formed")\n',
    "a result of type timed out": '    return type("timed out", (), {"__repr__": lambda self: "timed out"})()\n',
    "a result of type crashed": '    return type("crashed", (), {"__repr__": lambda self: "crashed"})()\n',
    "the text malformed": '    return "malformed"\n',
    "the text timed out": '    return "timed out"\n',
}
SETTINGS = Settings(max_examples=2, shrink=False)


def judged(tmp_path: Path, body: str) -> Report:
    path = tmp_path / "solution.py"
    path.write_text(HEAD + body)
    return judge_target(str(path), "mutability", SETTINGS, Limits(60, 300))


def slow_but_for(quick: set[str]) -> list[Any]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in IMPOSTORS]


@pytest.mark.parametrize("name", slow_but_for({"a class named crashed", "a result of type timed out"}))
def test_a_word_of_the_kit_in_a_candidate_is_no_end_of_its_process(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, IMPOSTORS[name])
    assert report.verdict == "does not conform"
    assert report.ended is None
    assert [finding.end for finding in report.findings] == [None] * len(report.findings)
    assert "process" not in report.findings[0].what

    cache.keep(tmp_path, "key", report)  # it will raise again
    assert cache.read(tmp_path, "key") is not None


@pytest.mark.medium
def test_a_process_that_ends_is_known_as_such(tmp_path: Path) -> None:
    report = judged(tmp_path, "    os._exit(0)\n")
    assert report.ended is End.CRASHED
    assert report.findings[0].end is End.CRASHED
    cache.keep(tmp_path, "key", report)
    assert cache.read(tmp_path, "key") is None


@pytest.mark.slow
def test_grade_tells_them_apart(tmp_path: Path) -> None:
    folder = tmp_path / "candidates"
    folder.mkdir()
    names = dict(zip(("one", "two", "three", "four", "five", "six", "seven"), IMPOSTORS, strict=True))
    for file, name in names.items():
        (folder / f"{file}.py").write_text(HEAD + IMPOSTORS[name])
    (folder / "ends.py").write_text(f"{HEAD}    os._exit(0)\n")
    output = tmp_path / "reports.jsonl"
    options = ["--max-examples", "2", "--no-shrink", "--jobs", "1", "--results", str(tmp_path / "results.sqlite3")]
    command = [sys.executable, "-m", "nnx_conformance", "grade", str(folder), *options]
    run_process(*command, "--format", "jsonl", "--output", str(output), folder=tmp_path)
    statuses = {row["id"]: row["status"] for row in map(json.loads, output.read_text().splitlines())}
    assert statuses == {**{f"{file}.py": "does not conform" for file in names}, "ends.py": "crashed"}


@pytest.mark.medium
def test_a_python_object_that_raises_such_a_class_is_no_crash() -> None:
    def candidate(seed: object, x: object, n_calls: object) -> None:
        raise type("timed out", (Exception,), {})("in time")

    report = nnx_conformance.check(candidate, max_examples=2)
    assert report.ended is None and report.findings[0].observed == "timed out"
