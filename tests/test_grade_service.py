"""`grade - --format ndjson`: candidates as they come, an answer each, every bad line refused, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nnx_conformance.cli.grading.service import Answers
from nnx_conformance.cli.group import cli
from nnx_conformance.core.report import Settings
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.lines import CHUNK, Lines
from nnx_conformance.grading.source import TaskSource
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.stream import judge_stream
from nnx_conformance.grading.tasks import GradingPlan
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail

PLAN = GradingPlan("mutability", "1", Settings(2), Limits(), Jail(level="process"))
GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()


def line(id: str, source: str) -> str:
    return json.dumps({"id": id, "source": source}) + "\n"


def by_source(source: TaskSource, _: GradingPlan) -> Generator[Grade]:
    """Judges nothing: what holds "good" conforms, and what holds "fails" fails the kit."""
    while not source.ended:
        while (task := source.take()) is None and not source.ended:
            source.read()
        if task:
            fails = b"fails" in task.source
            verdict = "conforms" if b"good" in task.source else "does not conform"
            yield Grade(task.key, "the kit failed" if fails else verdict, 0.0)  # type: ignore[arg-type]


def answers(store: Path, text: str) -> list[dict[str, Any]]:
    """All answers to a text that is written to a pipe."""
    reads, writes = os.pipe()
    with open(writes, "w") as stream:
        stream.write(text)
    written: list[dict[str, Any]] = []
    with Store(store, create=True) as results:
        judge_stream(reads, PLAN, results, by_source, written.append)
    os.close(reads)
    return written


def test_each_candidate_is_answered_and_kept(tmp_path: Path) -> None:
    told = answers(tmp_path / "r.sqlite3", line("sum/0", "good") + "\n" + line("sum/1", "bad"))
    assert [(each["id"], each["status"]) for each in told] == [("sum/0", "conforms"), ("sum/1", "does not conform")]
    with Store(tmp_path / "r.sqlite3", create=False) as results:
        assert [(row.id, row.status) for row in results.rows()] == [
            ("sum/0", "conforms"),
            ("sum/1", "does not conform"),
        ]


def test_a_last_line_without_an_end_is_a_line(tmp_path: Path) -> None:
    assert [each["status"] for each in answers(tmp_path / "r.sqlite3", line("a", "good").rstrip())] == ["conforms"]


def test_what_is_known_is_answered_at_once_and_what_the_kit_failed_at_is_judged_again(tmp_path: Path) -> None:
    first = answers(tmp_path / "r.sqlite3", line("a", "good") + line("b", "good") + line("c", "fails"))
    assert [(each["id"], each["status"]) for each in first] == [
        ("a", "conforms"),
        ("b", "conforms"),
        ("c", "the kit failed"),
    ]
    with Store(tmp_path / "r.sqlite3", create=False) as results:
        assert len(results.known()) == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("not json\n", "Expected one JSON object in each line but stdin:2 holds none: Expecting value: line 1"),
        ('{"id": 3}\n', 'Expected {"id": "...", "source": "..."} in each line but stdin:2 holds b\'{"id": 3}\'.'),
        (line("a", "bad"), "Expected ids that are all different but stdin:2 holds 'a' again. Rename it."),
    ],
)
def test_a_bad_line_is_refused_and_the_rest_is_judged(tmp_path: Path, bad: str, message: str) -> None:
    told = answers(tmp_path / "r.sqlite3", line("a", "good") + bad + line("z", "good"))
    (refused,) = [each for each in told if each["status"] == "refused"]
    assert (refused["id"], refused["line"]) == (None, 2)
    assert refused["reason"].startswith(message)
    assert {each["id"]: each["status"] for each in told if each["id"]} == {"a": "conforms", "z": "conforms"}


def test_a_line_that_is_too_long_is_cut_and_said_to_be(tmp_path: Path) -> None:
    told = answers_of_a_long_line(tmp_path / "r.sqlite3")
    assert told[0]["reason"] == "Expected lines of less than 8388608 bytes but stdin:1 is longer. Leave it out."
    assert (told[1]["id"], told[1]["status"]) == ("a", "conforms")


def answers_of_a_long_line(store: Path) -> list[dict[str, Any]]:
    reads, writes = os.pipe()
    text = (line("long", "x" * 8 * 2**20) + line("a", "good")).encode()

    def write() -> None:
        with open(writes, "wb") as stream:
            stream.write(text)

    writer = threading.Thread(target=write)
    writer.start()
    written: list[dict[str, Any]] = []
    with Store(store, create=True) as results:
        judge_stream(reads, PLAN, results, by_source, written.append)
    writer.join()
    os.close(reads)
    return written


def fill(descriptor: int) -> int:
    """Write until nobody takes more; how many bytes were taken."""
    sent = 0
    try:
        while True:
            sent += os.write(descriptor, b"a line\n" * 100)
    except BlockingIOError:
        return sent


def test_what_is_not_needed_yet_is_not_read() -> None:
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    lines = Lines(reads, 1000)
    assert fill(writes) > 0
    lines.read()
    assert lines.take() == (1, b"a line")
    assert fill(writes) <= CHUNK
    for descriptor in (reads, writes):
        os.close(descriptor)


def test_where_nobody_reads_the_answers_that_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    told = Answers(writes, tmp_path / "r.sqlite3")
    told.write({"id": "a", "status": "conforms"})
    told.write({"id": "b", "status": "conforms"})
    os.close(writes)
    assert capsys.readouterr().err == (
        "nnx-conformance: nobody reads the answers any more. Everything that comes is still judged; "
        f"ask `nnx-conformance results {tmp_path / 'r.sqlite3'}`.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-",), "Expected --format ndjson with - but got --format='terminal' (type=str). Add --format ndjson."),
        (
            ("somewhere", "--format", "ndjson"),
            "Expected - with --format ndjson but got candidates='somewhere' (type=str). Give - and write the "
            "candidates to standard input, or choose another format.",
        ),
        (
            ("-", "--format", "ndjson", "--output", "file"),
            "Expected no --output with - but got --output='file' (type=str). Redirect standard output.",
        ),
    ],
)
def test_options_that_do_not_go_with_a_stream_are_refused(arguments: tuple[str, ...], message: str) -> None:
    refused = CliRunner().invoke(cli, ["grade", *arguments])
    assert refused.exit_code == 2
    assert message in refused.output


@pytest.mark.slow
def test_a_program_gets_each_answer_before_it_sends_the_next(tmp_path: Path) -> None:
    options = ("--format", "ndjson", "--jobs", "1", "--max-examples", "2", "--results", str(tmp_path / "r.sqlite3"))
    command = [sys.executable, "-m", "nnx_conformance", "grade", "-", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as served:
        assert served.stdin is not None
        assert served.stdout is not None
        for number, (source, status) in enumerate([(GOOD, "conforms"), ("", "does not conform")]):
            served.stdin.write(line(f"task/{number}", source))
            answer = json.loads(served.stdout.readline())
            assert (answer["id"], answer["status"]) == (f"task/{number}", status)
        served.stdin.close()
        assert served.stdout.read() == ""
    assert served.returncode == 1
