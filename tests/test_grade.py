"""`grade` and `results`: every candidate judged once, nothing lost, each status told apart, every misuse refused."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nnx_conformance.cli.group import cli
from nnx_conformance.core.report import Settings
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.tasks import GradingPlan, key
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
LOST = GOOD.replace("write(self.count, read(self.count) + 1.0)", "self.count = read(self.count) + 1.0").replace(
    "read(model.count)", "model.count"
)
FUNCTION = "def mutability_increment_count(seed, x, n_calls):\n"
#: What is handed in, and what must become of it.
HANDED_IN = {
    "ada.py": (GOOD, "conforms"),
    "bob.py": (LOST, "does not conform"),
    "class/ada.py": (GOOD, "conforms"),
    "class/leaves.py": (FUNCTION + "    import os\n    os._exit(0)\n", "crashed"),
    "misnamed.py": (GOOD.replace("mutability_increment_count", "count_increments"), "does not conform"),
    "never.py": (FUNCTION + "    while True: pass\n", "timed out"),
    "nothing.py": ("", "does not conform"),
    "other.py": ("def another(): ...\ndef more(): ...\n", "does not conform"),
    "unfinished.py": ("def broken(:", "does not conform"),
}
FAST = ("--max-examples", "3", "--no-shrink", "--case-timeout", "4", "--timeout", "20")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def hand_in(folder: Path, sources: dict[str, str]) -> Path:
    for name, source in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


def statuses(results: Path) -> dict[str, str]:
    listed = run("results", results, "--format", "csv").stdout
    return {row["id"]: row["status"] for row in csv.DictReader(io.StringIO(listed))}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    """The folder, the results file, and what the first grading of all said."""
    base = tmp_path_factory.mktemp("graded")
    folder = hand_in(base / "in", {name: source for name, (source, _) in HANDED_IN.items()})
    assert LOST != GOOD
    return folder, base / "r.sqlite3", run("grade", folder, "--results", base / "r.sqlite3", "--jobs", 2, *FAST)


@pytest.mark.medium
def test_each_candidate_comes_to_its_status(graded: tuple[Path, Path, Result]) -> None:
    assert statuses(graded[1]) == {name: status for name, (_, status) in HANDED_IN.items()}
    assert graded[2].exit_code == 3  # one ran out of time: there is no verdict on it


@pytest.mark.medium
def test_identical_candidates_are_judged_once(graded: tuple[Path, Path, Result]) -> None:
    assert "9 candidates of 8 contents; 8 judged now in " in graded[2].stdout


@pytest.mark.medium
def test_the_summary_counts_by_verdict_and_by_check(graded: tuple[Path, Path, Result]) -> None:
    told = " ".join(graded[2].stdout.split())
    assert "verdicts 2 conforms 5 does not conform 1 crashed 1 timed out violated checks" in told
    assert "1 wrapper-kept" in told
    assert "slowest" in told


@pytest.mark.medium
def test_what_is_known_is_not_judged_again(graded: tuple[Path, Path, Result]) -> None:
    again = run("grade", graded[0], "--results", graded[1], *FAST)
    assert "9 candidates of 8 contents; 0 judged now" in again.stdout
    assert "8 known before" in again.stdout
    assert again.exit_code == 3


@pytest.mark.medium
def test_nothing_is_written_where_the_candidates_are(graded: tuple[Path, Path, Result]) -> None:
    left = {path.relative_to(graded[0]).as_posix() for path in graded[0].rglob("*") if path.is_file()}
    assert left == set(HANDED_IN)


@pytest.mark.medium
def test_results_are_found_by_the_check_that_is_violated(graded: tuple[Path, Path, Result]) -> None:
    found = run("results", graded[1], "--violates", "wrapper-kept", "--format", "jsonl").stdout.splitlines()
    (row,) = map(json.loads, found)
    assert (row["id"], row["status"]) == ("bob.py", "does not conform")
    assert "wrapper-kept" in row["violates"]
    assert row["report"]["candidate"] == "bob.py"


@pytest.mark.medium
def test_results_are_found_by_status(graded: tuple[Path, Path, Result]) -> None:
    assert run("results", graded[1], "--status", "crashed").stdout.split()[:2] == ["class/leaves.py", "crashed"]


@pytest.mark.medium
def test_a_candidate_is_shown_with_its_whole_report(graded: tuple[Path, Path, Result]) -> None:
    shown = run("results", graded[1], "--show", "bob.py").stdout
    assert "wrapper-kept  MUST  violated on " in shown
    assert "bob.py:" in shown
    assert "bob.py does not conform" in shown


@pytest.mark.medium
def test_a_candidate_of_the_same_content_is_shown_under_its_own_id(graded: tuple[Path, Path, Result]) -> None:
    assert "class/ada.py conforms" in run("results", graded[1], "--show", "class/ada.py").stdout


@pytest.mark.medium
def test_a_finding_names_its_line_by_the_candidates_id(graded: tuple[Path, Path, Result]) -> None:
    number = next(at for at, line in enumerate(LOST.splitlines(), 1) if "self.count = read(self.count)" in line)
    shown = run("results", graded[1], "--show", "bob.py").stdout
    assert f"  bob.py:{number}   self.count = read(self.count) + 1.0" in shown


@pytest.mark.medium
def test_a_source_is_given_back_as_it_was_handed_in(graded: tuple[Path, Path, Result], tmp_path: Path) -> None:
    run("results", graded[1], "--source", "bob.py", "--output", tmp_path / "bob.py")
    assert (tmp_path / "bob.py").read_text() == LOST


@pytest.mark.medium
def test_a_file_without_the_function_says_so(graded: tuple[Path, Path, Result]) -> None:
    shown = " ".join(run("results", graded[1], "--show", "other.py").stdout.split())
    assert "holds several functions (another, more) and none called 'mutability_increment_count'" in shown


@pytest.mark.medium
def test_a_function_of_another_name_does_not_conform_and_both_names_are_given(
    graded: tuple[Path, Path, Result],
) -> None:
    shown = " ".join(run("results", graded[1], "--show", "misnamed.py").stdout.split())
    assert "misnamed.py holds no function 'mutability_increment_count'. Did you mean 'count_increments'?" in shown


SUBJECTS = {
    "trait.py": ("{'make': lambda rngs: None, 'inputs': [1.0], 'traits': {'grow': True}}", "Did you mean 'grows'?"),
    "inputs.py": ("{'make': lambda rngs: None, 'inputs': 3.0}", "inputs"),
    "nothing.py": ("", "holds no subject 'subject'"),
}


@pytest.mark.slow
def test_what_check_refuses_as_misuse_could_not_be_judged_and_says_why(tmp_path: Path) -> None:
    sources = {name: f"subject = {written}\n" if written else "" for name, (written, _) in SUBJECTS.items()}
    folder, results = hand_in(tmp_path / "in", sources), tmp_path / "r"

    done = run("grade", folder, "--contract", "module-laws", "--results", results, "--jobs", 1, *FAST)

    assert done.exit_code == 3
    assert statuses(results) == dict.fromkeys(sources, "could not be judged")
    for name, (_, why) in SUBJECTS.items():
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name} could not be judged: ")]
        assert why in line


@pytest.mark.medium
def test_who_got_what_is_listed_with_advice_apart(tmp_path: Path) -> None:
    sources = {"chatty.py": f"{GOOD}\nprint('loaded')\n", "lost.py": LOST}
    folder, results = hand_in(tmp_path / "in", sources), tmp_path / "r"

    done = run("grade", folder, "--results", results, "--jobs", 1, "--by-candidate", *FAST)

    listed = [line.split() for line in done.stdout.splitlines()]
    assert ["chatty.py", "conforms", "advice:", "quiet"] in listed
    assert any(line[:4] == ["lost.py", "does", "not", "conform"] and "wrapper-kept" in line[4] for line in listed)
    lines = [" ".join(words) for words in listed]
    assert lines.index("violated checks") < lines.index("1 wrapper-kept") < lines.index("advice")
    assert lines.index("advice") < lines.index("1 quiet")
    rows = list(csv.DictReader(io.StringIO(run("results", results, "--format", "csv").stdout)))
    assert (rows[0]["violates"], rows[0]["advice"]) == ("", "quiet")


@pytest.mark.medium
@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html>"), ("markdown", "<!-- nnx-conformance -->")])
def test_the_page_of_a_class_is_made_of_the_stored_reports(
    graded: tuple[Path, Path, Result], tmp_path: Path, form: str, begins: str
) -> None:
    page = tmp_path / "page"
    done = run("results", graded[1], "--format", form, "--output", page)

    assert (done.exit_code, done.stdout) == (0, "")
    text = page.read_text()
    assert text.lower().startswith(begins)
    assert all(name in text for name in HANDED_IN)


def test_candidates_without_a_report_are_named(tmp_path: Path) -> None:
    with Store(tmp_path / "r", create=True) as store:
        store.enlist([("waits.py", "k", b"")])
    done = run("results", tmp_path / "r", "--format", "markdown")
    assert done.stderr == "nnx-conformance: no report is stored of waits.py\n"


def test_no_cell_of_csv_is_a_formula(tmp_path: Path) -> None:
    with Store(tmp_path / "r", create=True) as store:
        store.enlist([("=1+1.py", "k", b"")])
    listed = run("results", tmp_path / "r", "--format", "csv").stdout
    assert [row["id"] for row in csv.DictReader(io.StringIO(listed))] == ["'=1+1.py"]


@pytest.mark.slow
def test_a_list_is_graded_like_a_folder_in_any_order(graded: tuple[Path, Path, Result], tmp_path: Path) -> None:
    rows = [{"id": name, "source": source} for name, (source, _) in HANDED_IN.items() if name != "never.py"]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    run("grade", tmp_path / "list.jsonl", "--results", tmp_path / "r.sqlite3", "--jobs", 1, *FAST)
    found = statuses(tmp_path / "r.sqlite3")
    assert found == {name: status for name, status in statuses(graded[1]).items() if name != "never.py"}


@pytest.mark.slow
def test_a_glob_names_candidates(graded: tuple[Path, Path, Result], tmp_path: Path) -> None:
    run("grade", f"{graded[0]}/*b.py", "--results", tmp_path / "r.sqlite3", *FAST)
    assert list(statuses(tmp_path / "r.sqlite3")) == [f"{graded[0]}/bob.py"]


@pytest.mark.slow
def test_one_file_is_a_candidate_too(graded: tuple[Path, Path, Result], tmp_path: Path) -> None:
    run("grade", graded[0] / "bob.py", "--results", tmp_path / "r.sqlite3", *FAST)
    assert list(statuses(tmp_path / "r.sqlite3")) == [f"{graded[0]}/bob.py"]


@pytest.mark.slow
def test_a_grading_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", {f"{number}.py": f"{GOOD}\n# {number}\n" for number in range(6)})
    results = tmp_path / "r.sqlite3"
    command = [sys.executable, "-m", "nnx_conformance", "grade", str(folder), "--results", str(results), *FAST]
    first = subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while judged(results) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    first.kill()
    first.wait()
    kept = judged(results)
    assert 2 <= kept < 6
    second = run("grade", folder, "--results", results, "--jobs", 1, *FAST)
    assert f"6 candidates of 6 contents; {6 - kept} judged now" in second.stdout
    assert set(statuses(results).values()) == {"conforms"}
    assert second.exit_code == 0


def judged(results: Path) -> int:
    if not results.is_file():
        return 0
    database = sqlite3.connect(results)
    try:
        return int(database.execute("SELECT count(*) FROM outcomes").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are not there yet
        return 0
    finally:
        database.close()


#: The process of the judge is the parent of the fork server; only `process` lets a candidate reach it.
KILLS_JUDGE = """
import os, signal
fork_server = os.getppid()
with open(f"/proc/{fork_server}/stat") as file:
    judge = int(file.read().rpartition(")")[2].split()[1])
os.kill(judge, signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_judge_that_is_lost_is_no_verdict_and_harms_nobody_else(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", {"good.py": GOOD, "kills.py": KILLS_JUDGE})
    results = tmp_path / "r.sqlite3"
    done = run("grade", folder, "--results", results, "--jobs", 1, "--isolation", "process", *FAST)
    assert statuses(results) == {"good.py": "conforms", "kills.py": "the kit failed"}
    assert done.exit_code == 3
    assert "the kit failed at kills.py: the process of the judge ended 3 times" in " ".join(done.stdout.split())


ORDER = GradingPlan("mutability", "1", Settings(), Limits(), Jail(level="process"))


@pytest.mark.parametrize(
    "other",
    [
        GradingPlan("mutability", "2", Settings(), Limits(), Jail(level="process")),
        GradingPlan("mutability", "1", Settings(strict=True), Limits(), Jail(level="process")),
        GradingPlan("mutability", "1", Settings(), Limits(case_seconds=1), Jail(level="process")),
        GradingPlan("mutability", "1", Settings(), Limits(), Jail(level="limits")),
    ],
)
def test_a_result_is_known_by_all_that_it_depends_on(other: GradingPlan) -> None:
    assert key(b"source", ORDER) != key(b"source", other)
    assert key(b"source", ORDER) != key(b"source ", ORDER)


def test_a_result_is_known_whatever_cache_of_compilations_served_it() -> None:
    assert key(b"source", ORDER) == key(b"source", GradingPlan(*vars(ORDER).values()))  # the same parts, the same key
    cached = GradingPlan("mutability", "1", Settings(), Limits(), Jail(level="process"), cache="somewhere")
    assert key(b"source", ORDER) == key(b"source", cached)


def misuse(result: Result) -> str:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    return line.removeprefix("nnx-conformance: ")


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_an_empty_folder_is_misuse(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert "at least one candidate" in misuse(run("grade", tmp_path / "in", "--results", tmp_path / "r"))
    assert not (tmp_path / "r").exists()


def test_a_link_that_leads_out_of_the_folder_is_misuse(tmp_path: Path) -> None:
    written(tmp_path, "secret.py", GOOD)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.py").symlink_to(tmp_path / "secret.py")
    told = misuse(run("grade", tmp_path / "in", "--results", tmp_path / "r"))
    assert told.startswith("Expected candidates that lie in the folder but got candidates=")
    assert told.endswith("It is a link out of it; remove it.")


BAD_LINES = {
    "no object": ("not json", "Expected one JSON object in each line but {path}:1 holds none: "),
    "no source": ('{"id": "a"}', 'Expected {{"id": "...", "source": "..."}} in each line but {path}:1 holds '),
    "no text": ('{"id": 1, "source": ""}', 'Expected {{"id": "...", "source": "..."}} in each line but {path}:1 '),
    "twice": ('{"id": "a", "source": ""}\n{"id": "a", "source": "1"}', "Expected ids that are all different but got "),
}


@pytest.mark.parametrize(("text", "told"), BAD_LINES.values(), ids=list(BAD_LINES))
def test_a_list_that_is_none_is_misuse(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, "list.jsonl", text)
    assert misuse(run("grade", path, "--results", tmp_path / "r")).startswith(told.format(path=path))


BAD_OPTIONS = {
    "missing": (
        ["nowhere"],
        "Expected a folder, a file, a glob or a JSONL file that exists but got candidates='nowhere'",
    ),
    "no list": (["nowhere.jsonl"], "Expected a JSONL file that can be read but got candidates='nowhere.jsonl'"),
    "jobs": ([".", "--jobs", "0"], "Expected a whole number >= 1 and <= 1024 but got --jobs=0 (type=int)"),
    "engine": ([".", "--engine", "rey"], "Expected an engine but got --engine='rey' (type=str). Did you mean 'ray'?"),
    "address": ([".", "--address", "a:1"], "Expected --engine ray with an address but got --address='a:1'"),
    "format": ([".", "--format", "cvs"], "Expected a known format but got --format='cvs' (type=str). Did you mean"),
    "isolation": ([".", "--isolation", "jail"], "Expected a level of isolation but got --isolation='jail' "),
    "memory": ([".", "--memory", "1"], "Expected a number of MiB >= 512 (JAX does not run with less) and <= 1048576 "),
    "contract": ([".", "--contract", "mutabilty"], "Expected the name of an installed contract but got contract="),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "told"), BAD_OPTIONS.values(), ids=list(BAD_OPTIONS))
def test_a_bad_option_is_misuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "good.py", GOOD)
    assert misuse(run("grade", *arguments)).startswith(told)


def test_ray_that_is_not_installed_is_misuse_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    written(tmp_path, "good.py", GOOD)
    told = misuse(run("grade", tmp_path, "--engine", "ray", "--results", tmp_path / "r"))
    assert told == (
        "Expected an engine that is installed but got --engine='ray' (type=str). "
        "Install it: pip install 'nnx-conformance[ray]'."
    )


def test_a_results_file_of_another_version_is_misuse_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite3"
    Store(path, create=True).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = path.read_bytes()
    written(tmp_path, "good.py", GOOD)
    told = misuse(run("grade", tmp_path, "--results", path))
    assert told.startswith(f"Expected a results file of version 2 but got results={str(path)!r} (type=str). It is 99.")
    assert path.read_bytes() == before


def test_a_file_that_holds_no_results_is_misuse_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "r.sqlite3", "my notes\n" * 200)
    written(tmp_path, "good.py", GOOD)
    assert misuse(run("grade", tmp_path, "--results", path)).startswith("Expected a results file that can be used but ")
    assert path.read_text() == "my notes\n" * 200


def test_a_database_of_somebody_else_is_misuse_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite3"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    written(tmp_path, "good.py", GOOD)
    assert "It is none. Name another file with --results" in misuse(run("grade", tmp_path, "--results", path))


def test_results_that_are_not_there_are_misuse(tmp_path: Path) -> None:
    told = misuse(run("results", tmp_path / "none"))
    assert told.endswith("`nnx-conformance grade` writes one.")
    assert not (tmp_path / "none").exists()


@pytest.mark.medium
def test_what_is_not_in_the_results_is_misuse(graded: tuple[Path, Path, Result]) -> None:
    assert "Did you mean 'bob.py'?" in misuse(run("results", graded[1], "--show", "bop.py"))
    assert "Did you mean 'wrapper-kept'?" in misuse(run("results", graded[1], "--violates", "wraper-kept"))
    assert "Did you mean 'crashed'?" in misuse(run("results", graded[1], "--status", "crash"))


#: Fills a results file until a write fails: no file may become larger than this process is allowed to write.
FILL = """
import resource, sys
from pathlib import Path
from nnx_conformance.core.errors import Misuse
from nnx_conformance.grading.grade import ungraded
from nnx_conformance.grading.store import Store

with Store(Path(sys.argv[1]), create=True) as store:
    store.enlist([("a.py", "k0", b"")])
    store.add(ungraded("k0", "kept"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (262144, 262144))
    try:
        for number in range(1000):
            store.add(ungraded(f"k{number + 1}", "x" * 10000))
    except Misuse as error:
        print(error)
"""


def test_a_full_disk_is_misuse_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FILL), str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("Expected a results file that can be used but got results="), done.stderr
    assert "The stored results are kept: fix this, and the same command continues." in done.stdout
    with Store(path, create=False) as store:
        assert [(row.id, row.reason) for row in store.rows()] == [("a.py", "kept")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_candidate_that_cannot_be_read_is_misuse(tmp_path: Path) -> None:
    written(tmp_path, "secret.py", GOOD).chmod(0)
    assert "Expected candidates that can be read" in misuse(run("grade", tmp_path, "--results", tmp_path / "r"))
