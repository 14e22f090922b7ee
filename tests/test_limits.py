"""Limits of time: processor time of a candidate's own processes, so no verdict depends on its neighbours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnx_conformance.cli import doctor
from nnx_conformance.cli.options import limits_of
from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.contract import MUST
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.grading.grade import graded
from nnx_conformance.judging.check import judge_target
from nnx_conformance.judging.tally import LATE, Tally, tallies
from nnx_conformance.judging.verdict import Header, report
from nnx_conformance.process.limits import Clock, Limits, TimeWatch
from nnx_conformance.process.session import Ended
from nnx_conformance.sandbox import linux, processor

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
LATER = "    last_x = x\n"
UP = Ended(End.TIMED_OUT, "on one case it used more than 9 s of processor time", option="--case-timeout")


def test_a_watch_counts_what_the_process_uses_from_its_first_look_on() -> None:
    watch = TimeWatch("on one case it", seconds=2.0, wall=8.0, began=100.0)
    assert not watch.over(101.0, 50.0)
    assert not watch.over(106.0, 52.0)
    assert watch.over(106.5, 52.1) == "on one case it used more than 2 s of processor time"


def test_a_watch_ends_what_sleeps_by_the_clock_on_the_wall() -> None:
    watch = TimeWatch("importing it", seconds=2.0, wall=8.0, began=100.0)
    assert not watch.over(108.0, 0.1)
    assert watch.over(108.1, 0.1) == "importing it took longer than 8 s, most of which it slept or waited"


def test_where_a_host_tells_no_processor_time_the_wall_alone_limits() -> None:
    watch = TimeWatch("on one case it", seconds=2.0, wall=8.0, began=100.0)
    assert not watch.over(107.0, None)
    assert watch.over(109.0, None)


def test_the_clock_of_a_run_adds_up_its_processes_each_with_the_last_that_is_known_of_it() -> None:
    clock = Clock(Limits(run_seconds=10.0))
    clock.start()
    clock.note(1, 4.0)
    clock.note(1, 6.0)
    clock.note(2, 3.0)
    assert (clock.used, clock.over) == (9.0, "")
    clock.note(2, 5.0)
    assert clock.over == "the whole run used more than 10 s of processor time"


@pytest.mark.skipif(not processor.known(), reason="this host tells no processor time of other processes")
def test_processor_time_is_that_of_all_threads_and_children() -> None:
    burn = "import time\nwhile time.process_time() < {0}: pass\n"
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn.format(0.4)!r}])\n{burn.format(0.3)}"
    script = child + "print('done', flush=True)\nimport time\ntime.sleep(60)\n"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout and process.stdout.readline() == "done\n"
        assert 0.65 < processor.seconds(process.pid) < 5.0
    finally:
        process.kill()
        process.communicate()
    assert processor.seconds(process.pid) == 0.0


@pytest.mark.skipif(not linux.LINUX, reason="reads /proc")
def test_a_living_child_and_what_is_left_behind_count_too() -> None:
    script = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ntime.sleep(60)\n"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout and process.stdout.readline() == "done\n"
        assert processor.strays(set()) >= 0.3
        assert processor.strays(set()) - processor.strays({process.pid}) >= 0.3
    finally:
        process.kill()
        process.communicate()


def late(*ids: str) -> dict[str, Tally]:
    """The tallies of a run in which all was judged but these checks, for which there was no time."""
    counted = tallies(contracts.get("mutability"))
    for tally in counted.values():
        if tally.check.id in ids:
            tally.unseen[LATE] += 1
        else:
            tally.evaluated += 1
    return counted


def verdict_on(counted: dict[str, Tally], time_up: Ended | None = None, *, strict: bool = False) -> Report:
    header = Header("solution.py", contracts.get("mutability"), Settings(strict=strict))
    return report(header, counted, 3, time_up=time_up)


def test_what_could_not_be_judged_in_time_is_no_violation() -> None:
    must = [check.id for check in contracts.get("mutability").checks if check.level == MUST]
    judged = verdict_on(late(*must), UP)
    assert (judged.verdict, judged.exit_status, judged.findings) == ("could not be judged", 3, ())
    assert {result.id for result in judged.checks if result.status == "not applicable"} == set(must)
    assert {result.reason for result in judged.checks if result.id in must} == {"there was no time for it"}
    assert graded("key", judged).status == "timed out"
    assert judged.failure == (
        "The time was up: on one case it used more than 9 s of processor time; on the 3 cases before, no MUST check "
        "was violated. If it does come to an end, give it more time with `--case-timeout`."
    )


def test_an_edge_for_which_there_was_no_time_withholds_a_verdict_from_the_strict_alone() -> None:
    assert verdict_on(late("many-calls")).verdict == "conforms"
    assert verdict_on(late("many-calls")).result("many-calls").status == "not applicable"
    strict = verdict_on(late("many-calls"), strict=True)
    assert strict.verdict == "could not be judged"
    assert strict.failure == (
        "many-calls was judged on no case: there was no time for it. If it does come to an end, give it more time with "
        "`--case-timeout`."
    )


def test_doctor_says_which_clock_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.PROCESSOR.startswith("time limits count the processor time of a candidate's own processes")
    assert doctor.PROCESSOR.endswith("a candidate that sleeps ends after 4 times as long")
    assert doctor.WALL.startswith("time limits count wall-clock time, 4 times as long: ")
    monkeypatch.setattr(processor.linux, "LINUX", False)
    assert not processor.known()


def test_each_limit_is_taken_from_its_option() -> None:
    assert limits_of(1.0, 2.0, 3.0) == Limits(case_seconds=1.0, run_seconds=3.0, load_seconds=2.0)
    with pytest.raises(Misuse, match=r"--import-timeout=0\.0"):
        limits_of(1.0, 0.0, 3.0)


@contextmanager
def busy(many: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(many)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


BODIES = {
    "right": "",
    "endless from the start": "    while True: pass\n",
    "endless for many calls": "    while n_calls > 2: pass\n",
    "slow": "    import time; end = time.process_time() + 0.3\n    while time.process_time() < end: pass\n",
}
EXPECTED = {
    "right": "conforms",
    "endless from the start": "could not be judged",
    "endless for many calls": "could not be judged",
    "slow": "conforms",
}


@pytest.mark.slow
@pytest.mark.skipif(not processor.known(), reason="this host tells no processor time of other processes")
@pytest.mark.parametrize("neighbours", [0, 8])
@pytest.mark.parametrize("name", BODIES)
def test_a_verdict_does_not_depend_on_the_neighbours(tmp_path: Path, name: str, neighbours: int) -> None:
    path = tmp_path / "solution.py"
    path.write_text(GOOD.replace(LATER, LATER + BODIES[name]))
    settings = Settings(max_examples=4, shrink=False, checks=("returns-pair", "sum-preserved"))
    with busy(neighbours):
        judged = judge_target(str(path), "mutability", settings, Limits(case_seconds=4.0, wall=20.0))
    assert (judged.verdict, judged.findings) == (EXPECTED[name], ())
