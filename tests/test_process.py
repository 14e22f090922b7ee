"""Broken and hostile files: each is refused with a reason that a person can read, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import textwrap
import time
from pathlib import Path

import jax
import pytest

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.report import Finding, Report, Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process import worker
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.isolation import obtain
from nnx_conformance.sandbox.jail import ANY_JAIL, Jail

GOOD = Path(__file__).parent / "candidates" / "good.py"
ENTRY = "mutability_increment_count"
FALLBACK = "returns-pair"
SETTINGS = Settings(max_examples=2, shrink=False, checks=(FALLBACK,))
LIMITS = Limits(case_seconds=20, run_seconds=60)
IMPATIENT = Limits(case_seconds=1.5, run_seconds=60, wall=4)
NOT_LOADED = "the candidate could not be loaded: "
NOT_IMPORTED = f"{NOT_LOADED}while it was imported, "


def function(body: str) -> str:
    """A candidate whose function does this when it is called."""
    return f"def {ENTRY}(seed, x, n_calls):\n" + textwrap.indent(textwrap.dedent(body).strip() + "\n", "    ")


def wrapped(statement: str) -> str:
    """The good candidate, with a statement in front of each call."""
    return GOOD.read_text().replace("    last_x = x\n", f"    last_x = x\n    {statement}\n")


def judged(
    folder: Path, source: str, settings: Settings = SETTINGS, limits: Limits = LIMITS, jail: Jail = ANY_JAIL
) -> Report:
    path = folder / "candidate.py"
    path.write_text(source)
    return judge_target(str(path), "mutability", settings, limits, jail=jail)


def refused(folder: Path, source: str, limits: Limits = LIMITS, jail: Jail = ANY_JAIL) -> Finding:
    """The one finding of a candidate that must not conform."""
    report = judged(folder, source, limits=limits, jail=jail)
    assert report.verdict == "does not conform"
    assert report.exit_status == 1
    (finding,) = report.findings
    assert finding.check == FALLBACK
    assert all(len(text.splitlines()) == 1 for text in (finding.what, finding.cause, finding.remedy))
    return finding


AT_CALL = {
    "os._exit": ("import os\nos._exit(0)", "it left its process with exit status 0"),
    "SystemExit": ("raise SystemExit(0)", "the candidate left by SystemExit: 0"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "the candidate left by KeyboardInterrupt"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "its process was killed by SIGSEGV"),
    "closes all descriptors": ("import os\nos.closerange(0, 256)", "it left its process with exit status 1"),
    "deep recursion": ("def down(n):\n    return down(n + 1)\ndown(0)", "the candidate raised RecursionError: "),
    "replaces stdout": ("import sys\nsys.stdout = []", "the result is of type NoneType"),
    "reads stdin": ("input()", "the candidate raised EOFError: EOF when reading a line"),
    "lying exception": (
        "class Liar(Exception):\n    def __str__(self):\n        raise self\nraise Liar",
        "the candidate raised",
    ),
}
SLOW_AT_CALL = set(AT_CALL) - {"os._exit", "segfault"}


def marked(cases: dict[str, tuple[str, str]], slow: set[str]) -> list[object]:
    marks = {name: (pytest.mark.slow,) if name in slow else () for name in cases}
    return [pytest.param(*values, id=name, marks=marks[name]) for name, values in cases.items()]


@pytest.mark.parametrize(("body", "reason"), marked(AT_CALL, SLOW_AT_CALL))
def test_a_call_that_does_not_return_is_refused_with_its_reason(tmp_path: Path, body: str, reason: str) -> None:
    finding = refused(tmp_path, function(body))
    assert finding.what.startswith(reason)
    assert str(finding.case) == "seed=0.0  x=[0.]  n_calls=1.0"


@pytest.mark.slow
def test_leaving_by_an_exception_is_reported_with_its_line(tmp_path: Path) -> None:
    finding = refused(tmp_path, function("import sys\nsys.exit()"))
    assert finding.what.startswith("the candidate left by SystemExit")
    assert (str(finding.line), finding.line and finding.line.source) == ("candidate.py:3", "sys.exit()")


AT_IMPORT = {
    "os._exit": ("import os\nos._exit(0)", f"{NOT_IMPORTED}it left its process with exit status 0"),
    "sys.exit": ("import sys\nsys.exit()", f"{NOT_LOADED}importing it raised SystemExit: "),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", f"{NOT_LOADED}importing it raised KeyboardInterrupt: "),
    "missing helper": (
        "import no_such_helper",
        f"{NOT_LOADED}importing it raised ModuleNotFoundError: No module named 'no_such_helper'",
    ),
    "syntax error": (
        "def broken(:",
        f"{NOT_LOADED}importing it raised SyntaxError: invalid syntax (candidate.py, line 1)",
    ),
    "raises": ("raise RuntimeError('not today')", f"{NOT_LOADED}importing it raised RuntimeError: not today"),
    "closes all descriptors": (
        "import os\nos.closerange(0, 256)",
        f"{NOT_IMPORTED}it left its process with exit status",
    ),
    "wrong arity": (
        f"def {ENTRY}(seed, x):\n    return None",
        f"{NOT_LOADED}it cannot be called as {ENTRY}(seed, x, n_calls): too many positional arguments; "
        "its signature is (seed, x)",
    ),
}
SLOW_AT_IMPORT = set(AT_IMPORT) - {"syntax error", "wrong arity"}


@pytest.mark.parametrize(("source", "reason"), marked(AT_IMPORT, SLOW_AT_IMPORT))
def test_a_file_that_does_not_load_is_refused_with_its_reason(tmp_path: Path, source: str, reason: str) -> None:
    finding = refused(tmp_path, source)
    assert finding.what.startswith(reason)
    assert finding.case is None


@pytest.mark.slow
def test_an_import_that_ends_the_process_is_not_blamed_on_the_parameters(tmp_path: Path) -> None:
    finding = refused(tmp_path, f"import os\nos._exit(0)\ndef {ENTRY}(seed, x, n_calls): ...")
    assert finding.cause.startswith("the process was ended from within: os._exit, ")
    assert "importable" in finding.remedy


@pytest.mark.medium
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("while True: pass", id="plain"),
        pytest.param(
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            id="catches everything",
            marks=pytest.mark.slow,
        ),
        pytest.param("import signal\nsignal.raise_signal(signal.SIGSTOP)", id="stops", marks=pytest.mark.slow),
    ],
)
def test_a_case_that_does_not_end_is_ended(tmp_path: Path, body: str) -> None:
    started = time.monotonic()
    report = judged(tmp_path, function(body), limits=IMPATIENT)
    assert (report.verdict, report.findings, report.ended) == ("could not be judged", (), End.TIMED_OUT)
    assert report.failure.startswith("The time was up: on one case it ")
    assert report.failure.endswith(
        "; no case was judged. If it does come to an end, give it more time with `--case-timeout`."
    )
    assert time.monotonic() - started < 120


@pytest.mark.slow
def test_an_import_that_does_not_end_is_ended(tmp_path: Path) -> None:
    report = judged(tmp_path, "while True: pass", limits=Limits(load_seconds=1.5, wall=60))
    assert (report.verdict, report.findings) == ("could not be judged", ())
    assert report.failure == (
        "The time was up: importing it used more than 1.5 s of processor time; no case was judged. If it does come to "
        "an end, give it more time with `--import-timeout`."
    )


@pytest.mark.slow
def test_a_flood_of_output_meets_the_limit_of_a_file(tmp_path: Path) -> None:
    finding = refused(tmp_path, function("import sys\nfor _ in range(1024):\n    sys.stdout.write('x' * 65536)"))
    assert finding.what == "the candidate raised OSError: [Errno 27] File too large"
    assert finding.line is not None
    assert finding.line.number == 4


@pytest.mark.slow
@pytest.mark.skipif(obtain(ANY_JAIL).level != "sandbox", reason="this host gives no sandbox")
def test_what_the_sandbox_refuses_is_told_as_such(tmp_path: Path) -> None:
    finding = refused(tmp_path, function(f"open({str(tmp_path / 'log')!r}, 'w')"))
    assert finding.what.startswith("the candidate raised ")
    assert finding.cause.startswith("the sandbox lets a candidate write only to its temporary directory")
    assert finding.remedy.endswith("`--isolation process` judges without a sandbox.")
    assert not (tmp_path / "log").exists()


GARBAGE = """
import os
for descriptor in range(3, 21):
    try:
        os.write(descriptor, b"no frame at all")
    except OSError:
        pass
"""


@pytest.mark.slow
def test_garbage_on_every_descriptor_is_no_observation(tmp_path: Path) -> None:
    finding = refused(tmp_path, function(GARBAGE))
    assert finding.what == "its process sent data that are no observation (the bytes do not begin a frame)"
    assert finding.cause == "the candidate meddles with its own observation, or its result is too large to send"


@pytest.mark.slow
def test_garbage_written_at_import_is_no_observation(tmp_path: Path) -> None:
    finding = refused(tmp_path, GARBAGE + function("return None"))
    assert finding.what.startswith(f"{NOT_IMPORTED}its process sent data that are no observation")


#: What a candidate may put in the place of an answer; `{frame}` is written to every descriptor.
FORGED = """
import os
import numpy as np
from nnx_conformance.core import wire
from nnx_conformance.core.facts import Call, Facts, Module, Rerun, Run, Snapshot, Value
from nnx_conformance.process.messages import Answer, Failure, Observed

result = Value("jax.Array", np.array([n_calls, x.sum()], np.float32), "")
nowhere = Snapshot(7, (), ())
module = Module("Counter", True, True, None, nowhere, nowhere)
call = Call(0, None, False, False, nowhere, nowhere, 0)
run = Run(int(n_calls), result, None, (module,), (call,), (), (), (), (), (), ())
facts = Observed(wire.Later(Facts(run, Rerun(result, None), None, (), (), False, "")))
for descriptor in range(3, 21):
    try:
        os.write(descriptor, {frame})
    except OSError:
        pass
"""


@pytest.mark.slow
def test_an_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    finding = refused(tmp_path, function(FORGED.format(frame="wire.dumps(Answer(99, facts))")))
    assert finding.what == "its process sent an answer that was not asked for"


@pytest.mark.slow
def test_a_forged_observation_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(function(FORGED.format(frame="wire.dumps(Answer(2, facts))")))
    report = judge_target(str(path), "mutability", Settings(max_examples=4, shrink=False), LIMITS)
    assert report.verdict == "does not conform"


FAILURES = {
    "forged failure": function(FORGED.format(frame="wire.dumps(Answer(2, Failure('forged')))")),
    "signature that raises": (
        "class Evil:\n    @property\n    def __signature__(self):\n        raise RuntimeError('no')\n"
        f"    def __call__(self, *arguments):\n        return None\n{ENTRY} = Evil()\n"
    ),
    "kit taken apart": function(
        "import nnx_conformance.observe.functions\nnnx_conformance.observe.functions.observe = None"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("source", FAILURES.values(), ids=FAILURES)
def test_a_candidate_that_breaks_its_observer_is_no_failure_of_the_kit(tmp_path: Path, source: str) -> None:
    assert judged(tmp_path, source).verdict == "does not conform"


@pytest.mark.slow
def test_a_candidate_that_loads_only_once_does_not_conform(tmp_path: Path) -> None:
    once = "from pathlib import Path\nPath(__file__).with_suffix('.mark').touch(exist_ok=False)\n"
    assert judged(tmp_path, once + function("return None")).verdict == "does not conform"


@pytest.mark.slow
def test_the_limit_of_the_run_ends_what_sleeps_in_every_case(tmp_path: Path) -> None:
    source = "import time\n" + wrapped("time.sleep(3)")
    report = judged(tmp_path, source, Settings(max_examples=9, shrink=False), Limits(run_seconds=2))
    assert report.failure.startswith("The time was up: the whole run took longer than 8 s; ")
    assert report.failure.endswith(" give it more time with `--timeout`.")


@pytest.mark.slow
def test_a_limit_that_is_too_short_blames_nobody_and_says_on_how_much_was_judged(tmp_path: Path) -> None:
    source = (Path(__file__).parent / "candidates" / "good.py").read_text()
    sleeps = source + "\nimport time\ntime.sleep(60)\n"
    report = judged(tmp_path, sleeps, SETTINGS, Limits(load_seconds=2, wall=1))

    assert (report.verdict, report.findings) == ("could not be judged", ())
    assert report.failure == (
        "The time was up: importing it took longer than 2 s, most of which it slept or waited; no case was judged. If "
        "it does come to an end, give it more time with `--import-timeout`."
    )

    report = judged(tmp_path, source, Settings(max_examples=5000), Limits(30, 4))

    assert (report.verdict, report.findings) == ("could not be judged", ())
    assert report.failure.startswith("The time was up: the whole run used more than 4 s of processor time; on the ")
    assert f"; on the {report.cases} cases before, no MUST check was violated. If" in report.failure


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads /proc")
def test_a_child_process_that_is_left_behind_is_gone_afterwards(tmp_path: Path) -> None:
    body = "import subprocess\nchild = subprocess.Popen(['sleep', '30'])\nprint(child.pid, file=open(r'{0}', 'a'))"
    refused(tmp_path, function(body.format(tmp_path / "pids")), jail=Jail(level="process"))  # others let none start
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert pids
    assert not [pid for pid in pids if alive(pid)]


HELPER = "def tell():\n    print('the helper speaks')\n"


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """A right candidate that has a helper module in its folder, and prints on import."""
    folder = tmp_path_factory.mktemp("talkative")
    (folder / "some_helper.py").write_text(HELPER)
    source = "import some_helper\nsome_helper.tell()\n" + GOOD.read_text()
    return folder, judged(folder, source, Settings(max_examples=2, shrink=False, checks=("returns-pair", "quiet")))


def test_helpers_are_imported_from_the_folder_of_the_candidate(talkative: tuple[Path, Report]) -> None:
    assert talkative[1].verdict == "conforms"
    assert talkative[1].result("returns-pair").status == "held"


def test_printing_at_import_is_told_with_its_text(talkative: tuple[Path, Report]) -> None:
    (finding,) = talkative[1].findings
    assert (finding.check, finding.what) == ("quiet", "the candidate wrote: the helper speaks")


def test_nothing_is_left_in_the_folder_of_the_candidate(talkative: tuple[Path, Report]) -> None:
    assert sorted(path.name for path in talkative[0].iterdir()) == ["candidate.py", "some_helper.py"]


@pytest.mark.slow
def test_printing_at_a_call_is_told_with_its_text(tmp_path: Path) -> None:
    settings = Settings(max_examples=2, shrink=False, checks=("returns-pair", "quiet"))
    (finding,) = judged(tmp_path, wrapped("print('counting', n_calls)"), settings).findings
    assert (finding.check, finding.what) == ("quiet", "the candidate wrote: counting 1.0")


@pytest.mark.medium
def test_a_good_candidate_conforms_after_a_bad_one(tmp_path: Path) -> None:
    bad = refused(tmp_path, "import os\nos.kill(os.getpid(), 9)")
    assert bad.what == f"{NOT_IMPORTED}its process was killed by SIGKILL"
    report = judge_target(str(GOOD), "mutability", SETTINGS, LIMITS)
    assert report.verdict == "conforms"
    assert report.result(FALLBACK).evaluated == 3  # one more, led to by the condition that it has


@pytest.mark.slow
def test_output_of_many_cases_does_not_add_up_to_a_flood(tmp_path: Path) -> None:
    source = wrapped("import sys; sys.stdout.write('x' * 2**21)")
    report = judged(tmp_path, source, Settings(max_examples=4, shrink=False, checks=(FALLBACK,)))
    assert report.verdict == "conforms"


@pytest.mark.slow
def test_a_process_that_ends_does_not_refute_a_finding(tmp_path: Path) -> None:
    """It must not be said that the case kept the check: in the fresh process it was never seen to its end."""
    body = f"""
import os
RUNS = [0]
def {ENTRY}(seed, x, n_calls):
    RUNS[0] += 1
    if RUNS[0] == 1 and n_calls > 1:
        os._exit(1)
    return good(seed, x, n_calls) + (n_calls > 1) * jnp.array([1.0, 0.0])
"""
    source = GOOD.read_text().replace(f"def {ENTRY}", "def good") + body
    report = judged(tmp_path, source, Settings(max_examples=12))
    assert {finding.check for finding in report.findings if finding.level == "MUST"} == {"count-equals-calls"}


@pytest.mark.parametrize(("limit", "taken", "forgets"), [(1000, 290, False), (1000, 400, True), (-1, 400, False)])
def test_what_was_compiled_is_forgotten_when_it_takes_a_third_of_the_room(
    monkeypatch: pytest.MonkeyPatch, limit: int, taken: int, forgets: bool
) -> None:
    forgotten: list[bool] = []
    data = iter([100, 100 + taken, 100])
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr(worker, "_data", lambda: next(data))
    monkeypatch.setattr(jax, "clear_caches", lambda: forgotten.append(True))
    worker._Room().make()
    assert bool(forgotten) == forgets
