"""The command line: exit statuses, messages of misuse, targets, options, and a report that fits a terminal."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import reports
from nnx_conformance.cli.group import cli
from nnx_conformance.core import contract, contracts
from nnx_conformance.core.current import current, current_check, installed
from nnx_conformance.reports import terminal

CANDIDATES = Path(__file__).parent / "candidates"
GOOD, WRONG = str(CANDIDATES / "good.py"), str(CANDIDATES / "loses_wrapper.py")
SEVERAL, STOPS = str(CANDIDATES / "several.py"), str(CANDIDATES / "stops_counting.py")
MODULE = str(CANDIDATES / "only_a_module.py")
MISNAMED = str(CANDIDATES / "misnamed.py")
MUTABILITY = contracts.get("mutability")
#: Enough to judge by; the checks of the edges are left out.
FEW = ("--max-examples", "2", "--check", "returns-pair")
TARGET_FIX = "Give the path of a Python file, `path.py` or `path.py::name`, or an importable `package.module:name`."


@dataclasses.dataclass
class Told:
    """What a command left."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*given: str) -> Told:
        with pytest.raises(SystemExit) as left:
            cli([*given], prog_name="nnx-conformance")
        told = capsys.readouterr()
        return Told(int(left.value.code or 0), told.out, told.err)

    return run


def run_process(*command: str, folder: Path) -> Told:
    """Run a command as its user does."""
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    done = subprocess.run(
        command, cwd=folder, env={**kept, "COLUMNS": "80"}, capture_output=True, text=True, timeout=120
    )
    return Told(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A good candidate and a wrong one, judged by the installed command."""
    command = str(Path(sys.executable).with_name("nnx-conformance"))
    chosen = ("returns-pair", "wrapper-kept", "quiet")
    options = ("--max-examples", "2", *(word for check in chosen for word in ("--check", check)))
    return run_process(command, "check", GOOD, WRONG, *options, folder=tmp_path_factory.mktemp("both"))


@pytest.mark.medium
def test_one_wrong_candidate_of_several_decides_the_exit_status(both: Told) -> None:
    assert (both.status, both.err) == (1, "")


@pytest.mark.medium
def test_several_candidates_are_summed_up(both: Told) -> None:
    summary = both.out[both.out.rindex("\ncandidates\n") :].split()
    assert " ".join(summary) == f"candidates conforms {GOOD} does not conform {WRONG} (wrapper-kept)"


@pytest.mark.medium
def test_a_finding_names_line_cause_and_remedy(both: Told) -> None:
    text = " ".join(both.out.split())
    assert f"{WRONG}:13 self.count = self.count + 1.0" in text
    assert "in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array" in text
    assert "smallest case seed=0.0 x=[0.] n_calls=1.0" in text
    assert "cause assigning to the attribute replaces the Variable" in text
    assert (
        f"remedy Write to the contents, `{current('self.count.value = self.count.value + 1.0', installed())}`" in text
    )
    assert "replay nnx-conformance replay .nnx-conformance/wrapper-kept-" in text


@pytest.mark.medium
def test_each_of_several_candidates_has_a_heading(both: Told) -> None:
    assert [line for line in both.out.splitlines() if line.startswith("== ")] == [f"== {GOOD}", f"== {WRONG}"]


@pytest.mark.medium
def test_a_report_says_how_much_ran(both: Told) -> None:
    assert "  0 of 2 MUST checks violated; 3 planned = 3 held\n" in both.out
    assert "  1 of 2 MUST checks violated; 3 planned = " in both.out
    assert "2 cases, seed 0; Flax " in both.out


@pytest.mark.medium
def test_a_report_fits_eighty_columns(both: Told) -> None:
    # The path of a candidate is never broken, so that it can be copied.
    assert [line for line in both.out.splitlines() if len(line) > 80 and str(CANDIDATES) not in line] == []


@pytest.mark.medium
def test_nothing_is_coloured_without_a_terminal(both: Told) -> None:
    assert "\x1b" not in both.out


@pytest.mark.slow
def test_a_module_in_the_current_folder_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "mine.py").write_text(
        Path(GOOD).read_text().replace("def mutability_increment_count", "def count")
    )
    told = run_process(sys.executable, "-m", "nnx_conformance", "check", "package.mine:count", *FEW, folder=tmp_path)
    assert (told.status, told.err) == (0, "")
    assert "package.mine:count conforms" in told.out


@pytest.mark.slow
def test_a_function_is_named_after_its_file(run: Any, tmp_path: Path) -> None:
    source = Path(GOOD).read_text().replace("def mutability_increment_count", "def count")
    (tmp_path / "mine.py").write_text(f"{source}\n\ndef other(seed, x, n_calls):\n    return None\n")
    told = run("check", "mine.py::count", *FEW)
    assert (told.status, told.err) == (0, "")
    assert "mine.py::count conforms" in told.out


@pytest.mark.slow
def test_only_the_chosen_checks_are_reported(run: Any) -> None:
    told = run("check", WRONG, "--max-examples", "2", "--check", "quiet", "--check", "key-consumed", "--format", "json")
    (report,) = json.loads(told.out)["reports"]
    assert [check["id"] for check in report["checks"]] == ["key-consumed", "quiet"]
    assert report["settings"]["checks"] == ["quiet", "key-consumed"]


def chatty(folder: Path) -> str:
    """A candidate that breaks a SHOULD check only."""
    path = folder / "chatty.py"
    path.write_text(Path(GOOD).read_text() + "\nprint('loaded')\n")
    return str(path)


@pytest.mark.medium
@pytest.mark.parametrize(
    ("options", "status"),
    [pytest.param((), 0, id="advice", marks=pytest.mark.slow), pytest.param(("--strict",), 1, id="strict")],
)
def test_advice_decides_under_strict_only(run: Any, tmp_path: Path, options: tuple[str, ...], status: int) -> None:
    told = run("check", chatty(tmp_path), *FEW, "--check", "quiet", "--no-shrink", *options)
    assert told.status == status
    assert "the candidate wrote: loaded" in told.out


#: Shown by no case of fewer than four calls; `x` and `seed` may shrink to nothing.
COUNTED = ("check", STOPS, "--max-examples", "12", "--check", "count-equals-calls", "--format", "json")


def findings(told: Told) -> Any:
    assert told.status == 1, told.err
    (report,) = json.loads(told.out)["reports"]
    return report["findings"]


SMALLEST = "seed=0.0  x=[0.]  n_calls=4.0"


@pytest.mark.slow
def test_the_smallest_case_is_shown(run: Any) -> None:
    (found,) = findings(run(*COUNTED))
    assert (found["case"]["text"], found["smallest"]) == (SMALLEST, True)


@pytest.mark.medium
def test_a_case_that_was_not_made_smaller_is_not_called_the_smallest(run: Any) -> None:
    told = run(*COUNTED[:-2], "--no-shrink")
    assert "failing case   seed=" in told.out
    assert "smallest case" not in told.out


@pytest.mark.slow
def test_the_seed_decides_the_cases_and_the_first_is_shown_if_asked_for(run: Any) -> None:
    def text(seed: str) -> str:
        return json.dumps(findings(run(*COUNTED, "--no-shrink", "--seed", seed)))

    first = text("1")
    assert SMALLEST not in first
    assert text("1") == first
    assert text("2") != first


BAD_TARGETS = {
    "no such file": (
        "nope.py",
        f"Expected a file that exists but got target='nope.py' (type=str). No such file. {TARGET_FIX}",
    ),
    "not Python": (
        "notes.txt",
        "Expected a Python file or notebook, ending in `.py` or `.ipynb` but got target='notes.txt' (type=str). "
        + TARGET_FIX,
    ),
    "folder": ("folder", f"Expected a Python file but got target='folder' (type=str). It is a folder. {TARGET_FIX}"),
    "folder named as a file": (
        "folder.py",
        f"Expected a Python file but got target='folder.py' (type=str). It is a folder. {TARGET_FIX}",
    ),
    "name that is none": (
        "mine.py::1st",
        "Expected a function name after `::` but got target='mine.py::1st' (type=str). Write `path.py::function_name`.",
    ),
    "no name": (
        "mine.py::",
        "Expected a function name after `::` but got target='mine.py::' (type=str). Write `path.py::function_name`.",
    ),
}


@pytest.mark.parametrize(("target", "message"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_a_target_that_is_no_file_is_misuse(run: Any, tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.py").mkdir()
    assert run("check", target) == Told(2, "", f"nnx-conformance: {message}\n")


BAD_NAMES = {
    "no such function": (
        f"{GOOD}::mutability_increment",
        f"{GOOD}::mutability_increment holds no function 'mutability_increment'. "
        "Did you mean 'mutability_increment_count'?",
    ),
    "a module instead": (
        MODULE,
        f"{MODULE} holds no function 'mutability_increment_count'. For the laws of a stateful module: "
        f"`nnx-conformance check {MODULE}::Counter --contract module-laws`.",
    ),
    "several functions": (
        SEVERAL,
        f"{SEVERAL} holds several functions (by_loop, by_recursion) and none called 'mutability_increment_count'. "
        f"Name one: `{SEVERAL}::by_loop`, or call it 'mutability_increment_count'.",
    ),
    "another name": (
        MISNAMED,
        f"{MISNAMED} holds no function 'mutability_increment_count'. Did you mean 'mutability_count_increments'? "
        f"Call it 'mutability_increment_count', or name it: `{MISNAMED}::mutability_count_increments`.",
    ),
    "not callable": (
        f"{SEVERAL}::answer",
        f"'answer' in {SEVERAL}::answer is not callable (type=int). Name a function.",
    ),
    "no such module": ("no_such_package.module:name", "No module named 'no_such_package' can be imported from here."),
}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(
            *values, id=name, marks=pytest.mark.slow if name not in ("several functions", "another name") else ()
        )
        for name, values in BAD_NAMES.items()
    ],
)
def test_a_target_that_leads_to_no_function_is_misuse(run: Any, target: str, message: str) -> None:
    assert run("check", target) == Told(2, "", f"nnx-conformance: {message}\n")


BAD_OPTIONS = {
    "contract": (
        ("--contract", "mutabilty"),
        "Expected the name of an installed contract but got contract='mutabilty' (type=str). "
        "Did you mean 'mutability'?",
    ),
    "check": (
        ("--check", "returns-pear"),
        "Expected the id of a check of contract 'mutability' but got check='returns-pear' (type=str). "
        "Did you mean 'returns-pair'?",
    ),
    "format": (
        ("--format", "yaml"),
        "Expected a known format but got --format='yaml' (type=str). "
        "Known: concise, github, gitlab, gradescope, html, json, junit, markdown, rdjson, sarif, terminal.",
    ),
    "output in no folder": (
        ("--output", "no/report.json"),
        "Expected a file that can be written but got --output='no/report.json' (type=str). No such file or directory.",
    ),
    "output is a folder": (
        ("--output", "."),
        "Expected a file that can be written but got --output='.' (type=str). Is a directory.",
    ),
    "no examples": (
        ("--max-examples", "0"),
        "Expected a whole number >= 1 but got max_examples=0 (type=int). Leave it out for 200.",
    ),
    "negative seed": (
        ("--seed", "-1"),
        "Expected a whole number >= 0 but got seed=-1 (type=int). Leave it out for 0.",
    ),
    "no time for a case": (
        ("--case-timeout", "0"),
        "Expected a number of seconds > 0 and <= 86400 but got --case-timeout=0.0 (type=float). "
        "Leave --case-timeout out for its default.",
    ),
    "time that is none": (
        ("--case-timeout", "nan"),
        "Expected a number of seconds > 0 and <= 86400 but got --case-timeout=nan (type=float). "
        "Leave --case-timeout out for its default.",
    ),
    "negative time": (
        ("--timeout", "-3"),
        "Expected a number of seconds > 0 and <= 86400 but got --timeout=-3.0 (type=float). "
        "Leave --timeout out for its default.",
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_misuse(run: Any, options: tuple[str, ...], message: str) -> None:
    assert run("check", GOOD, *options) == Told(2, "", f"nnx-conformance: {message}\n")


BAD_USAGE = {
    "number": (
        ("check", GOOD, "--max-examples", "many"),
        "Invalid value for '--max-examples': 'many' is not a valid integer.",
    ),
    "time": (("check", GOOD, "--case-timeout", "soon"), "Invalid value for '--case-timeout': 'soon' is not a valid"),
    "option": (("check", GOOD, "--exemples", "3"), "No such option"),
    "no target": (("check",), "Missing argument 'TARGET...'."),
    "command": (("chek",), "No such command 'chek'."),
}


@pytest.mark.parametrize(("given", "message"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_a_command_that_cannot_be_read_is_misuse(run: Any, given: tuple[str, ...], message: str) -> None:
    told = run(*given)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert "--help" in told.err


def test_misuse_of_one_of_several_targets_is_told_before_any_is_judged(run: Any, tmp_path: Path) -> None:
    marker = tmp_path / "judged"
    (tmp_path / "first.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    told = run("check", "first.py", "nope.py")
    assert told.status == 2
    assert "target='nope.py'" in told.err
    assert not marker.exists()


def test_an_endless_time_limit_is_misuse(run: Any) -> None:
    assert run("check", GOOD, "--case-timeout", "inf", "--timeout", "inf").status == 2


@pytest.mark.slow
def test_what_a_candidate_raises_cannot_control_the_terminal(tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.py"
    candidate.write_text("raise ValueError('\\x1b[2J\\ud800')\n")
    told = run_process(sys.executable, "-m", "nnx_conformance", "check", str(candidate), folder=tmp_path)
    assert told.status == 1
    assert told.err == ""
    assert "\x1b" not in told.out


def test_a_fault_of_the_kit_is_not_taken_for_a_verdict(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of the kit")

    monkeypatch.setattr("nnx_conformance.judging.check.judge_target", fail)
    told = run("check", GOOD)
    assert told.status == 3
    assert "the kit failed, this is no verdict on the candidate. " in told.err
    assert "RuntimeError: a fault of the kit" in told.err


def test_a_failure_of_the_kit_exits_with_three(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnx_conformance.core.errors import KitError

    def fail(*_: object) -> None:
        raise KitError("It is out of order.")

    monkeypatch.setattr("nnx_conformance.judging.check.judge_target", fail)
    message = "nnx-conformance: the kit failed, this is no verdict on the candidate. It is out of order.\n"
    assert run("check", GOOD) == Told(3, "", message)


@pytest.mark.parametrize("check", MUTABILITY.checks, ids=lambda check: check.id)
def test_every_check_is_explained(run: Any, check: contract.Check) -> None:
    told = run("explain", check.id, "--contract", "mutability")
    assert (told.status, told.err) == (0, "")
    words = " ".join(told.out.split())
    assert words.startswith(f"{check.id} {check.level} of contract mutability ")
    check = current_check(check, installed())
    shown = (check.requirement, f"wrong {check.wrong}", f"right {check.right}", f"remedy {check.remedy}")
    positions = [words.index(" ".join(text.split())) for text in shown]
    assert positions == sorted(positions)
    assert max(map(len, told.out.splitlines())) <= 80


@pytest.mark.parametrize("check", MUTABILITY.checks, ids=lambda check: check.id)
def test_every_example_is_python(check: contract.Check) -> None:
    assert check.requirement.endswith(".")
    assert check.remedy.endswith(".")
    assert check.wrong != check.right
    for code in (check.wrong, check.right):
        source = code if not code.endswith(":") else f"{code}\n    pass"
        wrapped = "\n".join(f"    {line}" for line in source.splitlines())
        compile(f"def example():\n{wrapped}\n    pass\n", check.id, "exec")


def test_explaining_an_unknown_check_is_misuse(run: Any) -> None:
    told = run("explain", "wraper-kept")
    assert told == Told(
        2,
        "",
        "nnx-conformance: Expected the id of a check but got CHECK='wraper-kept' (type=str). "
        "Did you mean 'wrapper-kept'?\n",
    )


def test_a_check_of_several_contracts_is_explained_for_each(run: Any) -> None:
    told = run("explain", "wrapper-kept")
    assert (told.status, told.err) == (0, "")
    having = [name for name in sorted(contracts.names()) if "wrapper-kept" in contracts.get(name).by_id]
    assert len(having) > 1
    assert [line for line in told.out.splitlines() if line.startswith("wrapper-kept")] == [
        f"wrapper-kept  MUST of contract {name}" for name in having
    ]


def test_a_contract_is_explained_by_its_checks(run: Any) -> None:
    told = run("explain", "mutability")
    assert told == run("contracts", "mutability")
    assert (told.status, told.err) == (0, "") and "wrapper-kept" in told.out


def test_the_list_of_commands_cuts_no_sentence(run: Any) -> None:
    commands = run("--help").out.partition("Commands:\n")[2].splitlines()
    assert len(commands) > 10 and all(line.endswith(".") and not line.endswith("...") for line in commands)


def test_explaining_looks_in_the_named_contract(run: Any) -> None:
    assert run("explain", "quiet", "--contract", "mutability").status == 0
    assert "contract='nope'" in run("explain", "quiet", "--contract", "nope").err


def test_the_contracts_are_listed(run: Any) -> None:
    told = run("contracts")
    assert (told.status, told.err) == (0, "")
    assert "\nmutability  version 1, 27 checks, from nnx-conformance\n" in f"\n{told.out}"
    assert " ".join(MUTABILITY.title.split()) in " ".join(told.out.split())


def test_the_checks_of_a_contract_are_listed(run: Any) -> None:
    told = run("contracts", "mutability")
    assert (told.status, told.err) == (0, "")
    listed = [line.split()[:2] for line in told.out.splitlines() if " MUST " in line or " SHOULD " in line]
    assert listed == [[check.id, check.level] for check in MUTABILITY.checks]
    assert max(map(len, told.out.splitlines())) <= 80


def test_listing_an_unknown_contract_is_misuse(run: Any) -> None:
    known = ", ".join(sorted(contracts.names()))
    message = f"Expected the name of an installed contract but got contract='nope' (type=str). Known: {known}."
    assert run("contracts", "nope") == Told(2, "", f"nnx-conformance: {message}\n")


def test_the_version_is_told(run: Any) -> None:
    assert run("--version").out.startswith("nnx-conformance, version ")


@pytest.mark.slow
def test_a_candidate_that_cannot_be_loaded_does_not_keep_the_next_from_being_judged(run: Any) -> None:
    told = run("check", MISNAMED, GOOD, *FEW, "--format", "json")

    assert (told.status, told.err.count("\n")) == (2, 1)
    assert [report["candidate"] for report in json.loads(told.out)["reports"]] == [GOOD]


@pytest.mark.slow
def test_no_empty_report_is_left_where_nothing_could_be_judged(run: Any, tmp_path: Path) -> None:
    told = run("check", MISNAMED, f"{MISNAMED}::other", *FEW, "--format", "json", "--output", "report.json")

    assert (told.status, told.err.count("\n"), told.out) == (2, 2, "")
    assert not (tmp_path / "report.json").exists()


@pytest.mark.slow
def test_what_ails_every_candidate_is_said_once(run: Any) -> None:
    told = run("check", GOOD, WRONG, "--check", "wraper-kept")

    assert (told.status, told.out) == (2, "")
    assert told.err.count("Did you mean 'wrapper-kept'?") == 1


def test_the_checks_that_hold_are_a_count_and_are_named_if_asked_for(run: Any) -> None:
    report = reports.report(reports.finding())
    shown, verbose, quiet = (io.StringIO() for _ in range(3))
    terminal.write([report], shown)
    terminal.write([report], verbose, detail="verbose")
    terminal.write([report, reports.report(candidate="right.py")], quiet, detail="quiet")

    assert "  held 26\n" in shown.getvalue()
    assert "zero-calls (200)" not in shown.getvalue()
    assert "zero-calls (200)" in verbose.getvalue()
    assert "checks\n" not in quiet.getvalue() and "right.py" not in quiet.getvalue()
    assert "solution.py does not conform" in quiet.getvalue()


def test_the_words_of_chex_are_printed_if_asked_for() -> None:
    words = "[Chex] Assertion assert_trees_all_equal failed:\nArrays are not equal\n ACTUAL: \x1b[31m2.0"
    report = reports.report(dataclasses.replace(reports.finding(), assertion=words))
    shown, verbose = io.StringIO(), io.StringIO()
    terminal.write([report], shown)
    terminal.write([report], verbose, detail="verbose")

    assert "[Chex]" not in shown.getvalue()
    indent = " " * terminal.LABEL
    assert "  chex           [Chex] Assertion assert_trees_all_equal failed:\n" in verbose.getvalue()
    assert f"{indent}Arrays are not equal\n{indent} ACTUAL: \\x1b[31m2.0\n" in verbose.getvalue()


@pytest.mark.slow
def test_quiet_prints_nothing_about_what_conforms(run: Any) -> None:
    assert run("check", GOOD, *FEW, "--quiet") == Told(0, "", "")


def test_no_colour_is_written_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured, plain = io.StringIO(), io.StringIO()
    terminal.write([reports.report(reports.finding())], coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.write([reports.report(reports.finding())], plain)

    assert re.search(r"\x1b\[[\d;]*3\d", coloured.getvalue())
    assert not re.search(r"\x1b\[[\d;]*3\d", plain.getvalue())


MIXED = {
    "verbose and quiet": (
        ("-v", "-q"),
        "Expected one of --verbose and --quiet but got --quiet=True (type=bool). Leave one of them out.",
    ),
    "feedback": (
        ("--feedback", "check"),
        "Expected a kind of feedback but got --feedback='check' (type=str). Did you mean 'checks'?",
    ),
}


@pytest.mark.parametrize(("options", "message"), MIXED.values(), ids=MIXED)
def test_options_that_mean_nothing_are_misuse(run: Any, options: tuple[str, ...], message: str) -> None:
    assert run("check", GOOD, *options) == Told(2, "", f"nnx-conformance: {message}\n")
