"""Hostile candidates: none conforms, none hangs its judge, none touches anything outside or the next candidate.

The candidates are the files in `hostile/`. Those whose attempt stands in front of the right candidate conform where the
attempt came to nothing, as it does them no harm; all others never do.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import re
import resource
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import nnx_conformance
from hostility import FOLLOWS, GOOD, HOSTILE, NAMES, SECRET, Bed, bed, graded, plan, told
from nnx_conformance.core.report import Settings
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.grader import Grader
from nnx_conformance.sandbox import isolation
from nnx_conformance.sandbox.jail import LEVELS, Jail

TESTS = Path(__file__).parent
#: So few cases and checks that a candidate is done in a second; what it writes is told.
CHEAP = Settings(2, shrink=False, checks=("returns-pair", "quiet"))
PAGE = TESTS.parent / "docs" / "isolation.md"
#: Long beside what any may take: 5 s for a case, 20 s in all, and a fork server to see whether the kit itself fails.
BOUND_SECONDS = 90.0

CRASHED = {
    "closes_all_descriptors", "exits_at_call", "exits_at_import", "exits_in_del", "recurses_in_c", "segfaults",
}  # fmt: skip
TIMED_OUT = {
    "forges_an_endless_frame", "loops_and_ignores_signals", "stops_itself",
}  # fmt: skip
#: How these end depends on which of their attempts is met first.
ONE_OR_ANOTHER = {
    "forges_many_calls",
    "leaves_threads",
    "recurses_in_python",
    "sleeps_in_each_case",
    "swaps_the_pipes",
    "tricks_of_the_interpreter",
}
#: Written down as what is not stopped, see docs/isolation.md.
NOT_STOPPED = {"forges_all_frames", "patches_itself_right"}
QUICK = {"forges_one_frame", "segfaults"}
MEDIUM = {"exits_at_import", "forges_a_misuse", "writes_a_verdict"}


def text_of(name: str) -> str:
    return (HOSTILE / f"{name}.py").read_text()


HARMLESS = {name for name in NAMES if FOLLOWS in text_of(name)} | NOT_STOPPED


def obtained() -> str:
    return isolation.obtain(Jail()).level


needs_sandbox = pytest.mark.skipif(obtained() != "sandbox", reason="this host gives no sandbox")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(scope="module", autouse=True)
def secret() -> Iterator[None]:
    """A secret in the environment of all judges."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNX_HOSTILE_SECRET", SECRET)
        yield


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with bed(tmp_path_factory.mktemp("outside")) as made:
        yield made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def sandbox(cache: Path) -> Iterator[Grader]:
    """One judge for all candidates, as in a grading, with a cache that the right candidate has filled."""
    with Grader(plan("sandbox", cache=str(cache))) as grader:
        grader.prepare()
        yield grader


def contents(folder: Path) -> dict[str, object]:
    """All that can be changed about the files of a folder."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        data = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (about.st_mode, about.st_uid, about.st_mtime_ns, data, os.listxattr(path))
    return found


def expected(name: str) -> tuple[str, ...]:
    if name == "sleeps_for_ever":  # while it is imported
        return ("timed out",)
    if name in HARMLESS:
        return ("conforms",)
    if name in ONE_OR_ANOTHER:
        return ("does not conform", "crashed", "timed out")
    return ("crashed",) if name in CRASHED else ("timed out",) if name in TIMED_OUT else ("does not conform",)


def marked(names: tuple[str, ...]) -> list[object]:
    marks = {name: (pytest.mark.medium,) for name in MEDIUM} | {name: () for name in QUICK}
    return [pytest.param(name, marks=marks.get(name, (pytest.mark.slow,))) for name in names]


@on_linux
@pytest.mark.parametrize("path", sorted(HOSTILE.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_hostile_candidate_imports_or_patches_of_the_kit_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom) and "nnx_conformance" in (line := ast.unparse(node)):
            exec(line, {})
        for target in node.targets if isinstance(node, ast.Assign) else ():
            words = ast.unparse(target).split(".")
            if words[0] == "nnx_conformance":
                functools.reduce(getattr, words[1:], nnx_conformance)


@needs_sandbox
@pytest.mark.parametrize("name", marked(NAMES))
def test_a_hostile_candidate_gains_nothing_and_the_next_one_is_judged_rightly(
    sandbox: Grader, victims: Bed, cache: Path, name: str
) -> None:
    outside, compiled, cores = contents(victims.outside), contents(cache), os.sched_getaffinity(victims.victim.pid)
    started = time.monotonic()
    outcome = graded(sandbox, victims.source(name))
    assert time.monotonic() - started < BOUND_SECONDS
    assert outcome.status in expected(name), told(outcome)
    assert SECRET not in told(outcome)
    assert victims.mark not in told(outcome)
    assert told(outcome).encode()
    assert not [escape for escape in ("\x1b", "\\u001b") if escape in told(outcome)]
    assert (victims.signals(), victims.heard(), victims.running()) == ("", [], [])
    assert contents(victims.outside) == outside
    assert contents(cache) == compiled
    assert os.sched_getaffinity(victims.victim.pid) == cores
    assert not list(Path("/tmp").glob(f"{victims.mark}*"))
    good = graded(sandbox, GOOD.encode())
    assert good.status == "conforms", told(good)


ODD_FILES = {
    "not UTF-8": b"# \xff\xfe\ndef mutability_increment_count(seed, x, n_calls): ...\n",
    "another encoding": b"# coding: utf-7\nraise +AFM-ystemExit\n",
    "null bytes": b"\0" * 1000 + GOOD.encode(),
    "empty": b"",
    "100,000 brackets": b"x = " + b"(" * 100_000 + b")" * 100_000,
    "100,000 operators": b"x = " + b"-" * 100_000 + b"1\n",
    "a long line": b"x = '" + b"y" * 1_000_000 + b"'\n",
    "2 MiB": b"#" * (2 * 2**20) + b"\n" + GOOD.encode(),
}


@needs_sandbox
@pytest.mark.parametrize("source", ODD_FILES.values(), ids=ODD_FILES)
def test_a_file_that_nobody_would_write_does_not_conform(sandbox: Grader, source: bytes) -> None:
    outcome = graded(sandbox, source)
    assert outcome.status in ("does not conform", "crashed")
    assert told(outcome).encode()


#: Right if, before it was called for the first time, something came from a compilation cache.
WANTS_HITS = """
import jax

HITS, FIRST = [], []
jax.monitoring.register_event_listener(lambda event, **_: HITS.append(event) if event.endswith("/cache_hits") else None)
right = mutability_increment_count


def mutability_increment_count(seed, x, n_calls):
    FIRST.append(len(HITS))
    assert FIRST[0]
    return right(seed, x, n_calls)
"""


@pytest.mark.medium
@needs_sandbox
def test_what_the_right_candidate_has_compiled_comes_to_others_through_the_jail(sandbox: Grader) -> None:
    with Grader(plan("sandbox")) as without:
        assert graded(without, f"{GOOD}{WANTS_HITS}".encode()).status == "does not conform"
    with_it = graded(sandbox, f"{GOOD}{WANTS_HITS}".encode())
    assert with_it.status == "conforms", told(with_it)


#: Right if it may keep files where Python and its home say.
KEEPS_FILES = """
import pathlib
import pickle
import tempfile

right = mutability_increment_count


def mutability_increment_count(seed, x, n_calls):
    with tempfile.TemporaryFile() as kept, tempfile.NamedTemporaryFile(dir=pathlib.Path.home()) as other:
        pickle.dump(n_calls, kept)
        other.write(b"kept")
        kept.seek(0)
        return right(seed, x, pickle.load(kept))
"""


@pytest.mark.medium
@needs_sandbox
def test_a_candidate_may_keep_files_in_its_temporary_directory(sandbox: Grader) -> None:
    outcome = graded(sandbox, f"{GOOD}{KEEPS_FILES}".encode())
    assert outcome.status == "conforms", told(outcome)


#: What became of an attempt, seen from outside: True where it came through.
Effect = Callable[[Bed, Grade], bool]


def conforms(at: Bed, outcome: Grade) -> bool:
    return outcome.status == "conforms"


def left_a_mark(at: Bed, outcome: Grade) -> bool:
    return at.mark in told(outcome)


def told_a_secret(at: Bed, outcome: Grade) -> bool:
    return SECRET in told(outcome)


def was_heard(at: Bed, outcome: Grade) -> bool:
    return bool(at.heard())


def signalled(at: Bed, outcome: Grade) -> bool:
    time.sleep(0.1)
    return bool(at.signals())


def wrote(at: Bed, outcome: Grade) -> bool:
    for path in (*Path("/tmp").glob(f"{at.mark}*"), *Path("/dev/shm").glob(f"{at.mark}*")):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return (at.outside / "written").exists()


def changed(at: Bed, outcome: Grade) -> bool:
    return (at.outside / "neighbour.py").read_text() != SECRET


def changed_times(at: Bed, outcome: Grade) -> bool:
    return (at.outside / "neighbour.py").stat().st_mtime == 0


def limited(at: Bed, outcome: Grade) -> bool:
    return bool(re.search(r"Max open files +77 ", Path(f"/proc/{at.victim.pid}/limits").read_text()))


def left_running(at: Bed, outcome: Grade) -> bool:
    return bool(at.running())


def wrote_files(at: Bed, outcome: Grade) -> bool:
    return f"{at.mark} files" in told(outcome)


def wrote_a_large_file(at: Bed, outcome: Grade) -> bool:
    return f"{at.mark} large" in told(outcome)


#: The sandbox of a host that forbids namespaces: Landlock, seccomp and limits alone.
BARE = "sandbox without namespaces"
PLACES = ("process", "limits", BARE, "sandbox")
ROOT = os.geteuid() == 0


def may_raise_limits() -> bool:
    """Whether this process, and so a candidate at the weakest level, may raise its own hard limits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard + 1))
    except (OSError, ValueError):
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return True


def may_make_devices() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.mknod(f"{folder}/device", stat.S_IFCHR, os.makedev(1, 3))
        except OSError:
            return False
        return True


MAY_MAKE_DEVICES = may_make_devices()
MAY_RAISE = may_raise_limits()

#: Candidate, how its effect is seen, and the weakest level at which there is none.
STOPPED_FROM: tuple[tuple[str, Effect, str], ...] = (
    ("leaves_a_daemon", left_running, "process"),
    ("leaves_a_process", left_running, "process"),
    ("fills_the_disk", wrote_a_large_file, "process"),
    ("reads_the_environment", told_a_secret, "limits"),
    ("floods_memory", left_a_mark, "limits"),
    ("exhausts_descriptors", left_a_mark, "limits"),
    ("raises_its_limits", left_a_mark, "limits" if MAY_RAISE else "process"),
    ("floods_memory_files", left_a_mark, BARE),
    ("floods_shared_memory", left_a_mark, BARE),
    ("floods_with_processes", left_a_mark, BARE),
    ("writes_outside", wrote, BARE),
    ("changes_neighbours", changed, BARE),
    ("changes_foreign_modes", changed_times, BARE),
    ("reads_neighbours", told_a_secret, BARE),
    ("imports_the_reference", conforms, BARE),
    ("connects_by_tcp", was_heard, BARE),
    ("sends_by_udp", was_heard, BARE),
    ("connects_by_unix_socket", was_heard, BARE),
    ("sends_by_socketpair", was_heard, BARE),
    ("signals_others", signalled, BARE),
    ("signals_by_descriptor", signalled, BARE),
    ("looks_into_others", told_a_secret, BARE),
    ("limits_others", limited, BARE),
    ("makes_devices", left_a_mark, BARE if MAY_MAKE_DEVICES else "process"),
    ("floods_threads", left_a_mark, BARE if ROOT else "limits"),
    ("fills_the_disk", wrote_files, "sandbox"),
)


@pytest.fixture(
    scope="module", params=[pytest.param(one, marks=() if one == "sandbox" else pytest.mark.slow) for one in PLACES]
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Grader]]:
    """A judge at one level, of so few cases that a candidate is done in a second."""
    name = request.param
    level = "sandbox" if name == BARE else name
    if LEVELS.index(level) > LEVELS.index(isolation.obtain(Jail()).level):
        pytest.skip(f"this host gives no more than {obtained()}")
    with pytest.MonkeyPatch.context() as patch:
        if name == BARE:
            patch.setattr(sys, "executable", bare_python(tmp_path_factory.mktemp("bare")))
        with Grader(replace(plan(level), settings=CHEAP)) as grader:
            given = str(getattr(graded(grader, GOOD.encode()).report, "isolation", ""))
            if name == "sandbox" and "namespaces" not in given:
                pytest.skip("this host forbids namespaces")
            assert ("namespaces" in given) == (name == "sandbox")
            yield name, grader


def bare_python(folder: Path) -> str:
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{(TESTS / 'bare_python.py').read_text()}")
    path.chmod(0o755)
    return str(path)


@on_linux
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "effect", "stopped_from"), STOPPED_FROM, ids=[f"{one[0]}-{one[1].__name__}" for one in STOPPED_FROM]
)
def test_what_each_level_stops(
    place: tuple[str, Grader],
    name: str,
    effect: Effect,
    stopped_from: str,
    tmp_path: Path,
) -> None:
    level, grader = place
    with bed(tmp_path) as at:
        outcome = graded(grader, at.source(name))
        assert effect(at, outcome) == (PLACES.index(level) < PLACES.index(stopped_from)), told(outcome)
        assert graded(grader, GOOD.encode()).status == "conforms"


@pytest.fixture(scope="module")
def weakest() -> Iterator[Grader]:
    with Grader(replace(plan("process"), settings=Settings(2, shrink=False))) as grader:
        yield grader


#: Where nothing holds it, this one ends the fork server, see below.
ENDS_ITS_FORK_SERVER = "signals_its_parent"
#: And this one is right, as somebody else wrote it.
HANDS_IN_ANOTHERS = "imports_the_reference"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - HARMLESS - {ENDS_ITS_FORK_SERVER, HANDS_IN_ANOTHERS}))
def test_no_verdict_is_forged_where_only_a_process_keeps_a_candidate(weakest: Grader, victims: Bed, name: str) -> None:
    outcome = graded(weakest, victims.source(name))
    assert outcome.status in ("does not conform", "crashed", "timed out"), told(outcome)
    assert victims.running() == []


@pytest.mark.slow
@on_linux
def test_who_kills_the_fork_server_where_that_can_be_done_gets_no_verdict(
    place: tuple[str, Grader], victims: Bed
) -> None:
    level, grader = place
    outcome = graded(grader, victims.source(ENDS_ITS_FORK_SERVER))
    reached = level in ("process", "limits")
    assert outcome.status == "does not conform"
    assert ("the kit fails on it, and not on another candidate" in told(outcome)) == reached, told(outcome)
    assert graded(grader, GOOD.encode()).status == "conforms"


TELLS_ITS_FOLDER = "import os\nprint(os.path.dirname(__file__))\n"


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("level", [one for one in LEVELS if LEVELS.index(one) <= LEVELS.index(obtained())])
def test_nothing_of_a_candidate_is_left_in_the_temporary_directory(victims: Bed, level: str) -> None:
    with Grader(replace(plan(level), settings=CHEAP)) as grader:
        told_of_it = told(graded(grader, TELLS_ITS_FOLDER.encode() + GOOD.encode()))
        graded(grader, victims.source("fills_the_disk"))
        if level != "sandbox":
            graded(grader, victims.source(ENDS_ITS_FORK_SERVER))
        found = re.search(r"wrote: (/\S*/nnx-conformance-\w+)", told_of_it)
        assert found and Path(found[1]).is_dir()
    assert not Path(found[1]).exists()


def test_every_line_of_the_page_names_a_test_that_exists() -> None:
    functions = {
        node.name for node in ast.walk(ast.parse(Path(__file__).read_text())) if isinstance(node, ast.FunctionDef)
    }
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    candidates = set(re.findall(r"`(\w+)\.py`", PAGE.read_text()))
    assert named and named <= functions
    assert candidates <= set(NAMES)
    assert candidates == set(NAMES)
