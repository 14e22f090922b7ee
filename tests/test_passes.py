"""pass@k from the results of a grading, with its interval."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnx_conformance.cli.group import cli
from nnx_conformance.core.errors import Misuse
from nnx_conformance.grading.grade import Grade, GradeStatus
from nnx_conformance.grading.passes import estimate, passes, wilson
from nnx_conformance.grading.store import Store, StoredGrade


def rows(**tasks: str) -> list[StoredGrade]:
    """A sample for each letter: `c` conforms, `w` is wrong, `t` timed out, `f` the kit failed."""
    statuses: dict[str, GradeStatus] = {
        "c": "conforms",
        "w": "does not conform",
        "t": "timed out",
        "f": "the kit failed",
    }
    return [
        StoredGrade(f"{task}/{number}", f"{task}{number}", statuses[letter], 0.0, "", ())
        for task, letters in tasks.items()
        for number, letter in enumerate(letters)
    ]


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (6, 1, 6), (4, 0, 2), (4, 4, 1)])
def test_the_estimate_is_the_share_of_all_choices_of_k_samples_in_which_one_passes(n: int, c: int, k: int) -> None:
    chosen = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert estimate(n, c, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))


def test_the_figure_is_the_mean_over_tasks_that_have_enough_samples() -> None:
    (one, two) = passes(rows(sum="cw", mean="wwww", scan="c"), [1, 2])
    assert (one.share, one.tasks, one.samples, one.left_out) == (pytest.approx(0.5), 3, 7, 0)
    assert (two.share, two.tasks, two.samples, two.left_out) == (pytest.approx(0.5), 2, 6, 1)


def test_what_timed_out_does_not_pass_and_what_the_kit_failed_at_is_no_sample() -> None:
    (figure,) = passes(rows(sum="ctf"), [1])
    assert (figure.share, figure.samples) == (0.5, 2)


def test_of_one_task_the_interval_is_that_of_its_samples() -> None:
    (figure, five) = passes(rows(sum="c" * 7 + "w" * 13), [1, 5])
    assert (figure.low, figure.high) == (pytest.approx(0.1812, abs=1e-4), pytest.approx(0.5671, abs=1e-4))  # Wilson
    assert five.low == pytest.approx(1 - (1 - figure.low) ** 5)


def test_an_interval_keeps_its_width_where_all_tasks_come_to_the_same() -> None:
    (figure,) = passes(rows(**{f"task{number}": "cccc" for number in range(10)}), [1])
    assert (figure.share, figure.high) == (1.0, 1.0)
    assert figure.low == pytest.approx(wilson(1.0, 10)[0])
    assert figure.low < 0.75


def test_tasks_that_vary_little_say_more_than_their_number() -> None:
    alike = passes(rows(**{f"task{number}": "cw" for number in range(9)}, other="cc"), [1])[0]
    apart = passes(rows(**{f"task{number}": "cc" if number % 2 else "ww" for number in range(10)}), [1])[0]
    assert alike.high - alike.low < apart.high - apart.low


@pytest.mark.parametrize(
    ("ids", "k", "message"),
    [
        (
            ("alone",),
            1,
            "Expected ids of the form task/sample with --pass-at but got id='alone' (type=str). Name candidates "
            "`task/sample`, as a folder of one folder for each task does.",
        ),
        (("a/0",), 0, "Expected a whole number >= 1 but got --pass-at=0 (type=int). Leave it out for the listing."),
        (
            ("a/0", "a/1"),
            3,
            "Expected a number of judged samples that some task has but got --pass-at=3 (type=int). The largest task "
            "has 2.",
        ),
    ],
)
def test_what_has_no_figure_is_refused(ids: tuple[str, ...], k: int, message: str) -> None:
    with pytest.raises(Misuse) as caught:
        passes([StoredGrade(id, id, "conforms", 0.0, "", ()) for id in ids], [k])
    assert str(caught.value) == message


def test_results_prints_the_figures(tmp_path: Path) -> None:
    with Store(tmp_path / "r.sqlite3", create=True) as store:
        for row in rows(sum="cw", mean="c"):
            store.enlist([(row.id, row.key, b"")])
            store.add(Grade(row.key, row.status, 0.0))
    asked = ["results", str(tmp_path / "r.sqlite3"), "--pass-at", "1", "--pass-at", "2"]
    assert CliRunner().invoke(cli, asked).stdout.splitlines() == [
        "pass@1  0.750  (0.256 to 0.963)  of 2 tasks, 3 samples",
        "pass@2  1.000  (0.180 to 0.991)  of 1 tasks, 2 samples, 1 with fewer than 2 left out",
    ]
    (first, _) = map(json.loads, CliRunner().invoke(cli, [*asked, "--format", "jsonl"]).stdout.splitlines())
    assert (first["k"], first["share"], first["tasks"]) == (1, 0.75, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--pass-at", "1", "--status", "conforms"),
            "Expected no other question with --pass-at but got pass_at=(1,) (type=tuple). Leave out 'conforms'.",
        ),
        (
            ("--pass-at", "1", "--format", "csv"),
            "Expected a format of --pass-at but got --format='csv' (type=str).",
        ),
        (
            ("--shrink",),
            "Expected --show ID with --shrink but got --shrink=True (type=bool). Add it: the search is for one "
            "candidate.",
        ),
    ],
)
def test_questions_that_do_not_go_together_are_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    Store(tmp_path / "r.sqlite3", create=True).close()
    refused = CliRunner().invoke(cli, ["results", str(tmp_path / "r.sqlite3"), *options])
    assert refused.exit_code == 2
    assert message in refused.output
