"""Settings in pyproject.toml: where they are found, what they may be, and what goes before them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance import Misuse
from nnx_conformance.cli.group import cli
from nnx_conformance.project import candidates
from nnx_conformance.project import settings as project
from nnx_conformance.project.settings import Project
from nnx_conformance.project.waivers import Waiver

CANDIDATES = Path(__file__).parent / "candidates"
FEW = ("--check", "returns-pair", "--format", "json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settle(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.nnx-conformance]\n{text}\n")
    return path


def check(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["check", *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def test_every_setting_is_read(folder: Path) -> None:
    path = settle(
        folder,
        """
        contract = "mutability"
        candidates = ["a.py", "b/*.py::count"]
        max-examples = 50
        strict = true
        isolation = "sandbox"
        [[tool.nnx-conformance.waivers]]
        check = "quiet"
        candidate = "a.py"
        reason = "it prints"
        expires = 2027-01-31
        [[tool.nnx-conformance.waivers]]
        check = "long-x"
        candidate = "b/*.py"
        reason = "too slow"
        expires = "2027-02-28"
        """,
    )
    waivers = (
        Waiver("quiet", "a.py", "it prints", datetime.date(2027, 1, 31)),
        Waiver("long-x", "b/*.py", "too slow", datetime.date(2027, 2, 28)),
    )
    read = project.find(folder)
    assert read == Project(folder, path, "mutability", ("a.py", "b/*.py::count"), 50, True, "sandbox", waivers)


def test_without_settings_the_defaults_hold(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert project.find(folder) == Project(folder)


def test_the_nearest_settings_upwards_hold(folder: Path) -> None:
    settle(folder, "max-examples = 7")
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    (folder / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert project.find(inner).max_examples == 7
    settle(folder / "a", "max-examples = 8")
    assert project.find(inner).max_examples == 8


def test_settings_beyond_the_repository_do_not_hold(folder: Path) -> None:
    settle(folder, "max-examples = 7")
    inner = folder / "repository"
    (inner / ".git").mkdir(parents=True)
    assert project.find(inner) == Project(inner)


LIST = 'Write `candidates = ["solution.py"]`.'
WAIVER = '[[tool.nnx-conformance.waivers]]\ncheck = "quiet"\ncandidate = "a.py"\n'
BAD = {
    "unknown key": (
        "max-example = 3",
        "Expected a key of [tool.nnx-conformance] but got key='max-example' (type=str). Did you mean 'max-examples'?",
    ),
    "far from any key": (
        "colour = 3",
        "Expected a key of [tool.nnx-conformance] but got key='colour' (type=str). "
        "Known: candidates, contract, isolation, max-examples, packages, pins, points, strict, waivers.",
    ),
    "packages": (
        'packages = ["my-package"]',
        "Expected names as `import` takes them but got packages='my-package' (type=str). "
        'Write `packages = ["my_package"]`.',
    ),
    "points": (
        "points = 3",
        "Expected a table but got points=3 (type=int). Write `[tool.nnx-conformance.points]` above `check-id = 5`.",
    ),
    "points of a check": (
        'points = {quiet = "many"}',
        "Expected a number >= 0 but got points.quiet='many' (type=str). Write `quiet = 5`.",
    ),
    "contract": (
        "contract = 3",
        'Expected a text that is not empty but got contract=3 (type=int). Write `contract = "..."`.',
    ),
    "candidates": (
        'candidates = "a.py"',
        f"Expected a list of texts but got candidates='a.py' (type=str). {LIST}",
    ),
    "candidates of another type": (
        "candidates = [1]",
        f"Expected a list of texts but got candidates=[1] (type=list). {LIST}",
    ),
    "no examples": (
        "max-examples = 0",
        "Expected a whole number >= 1 but got max-examples=0 (type=int). Leave it out for 200.",
    ),
    "examples that are true": (
        "max-examples = true",
        "Expected a whole number >= 1 but got max-examples=True (type=bool). Leave it out for 200.",
    ),
    "strict": ("strict = 1", "Expected true or false but got strict=1 (type=int). Write `strict = true`."),
    "isolation": (
        'isolation = "sandbocks"',
        "Expected a known isolation but got isolation='sandbocks' (type=str). Did you mean 'sandbox'?",
    ),
    "isolation of another type": (
        "isolation = []",
        "Expected a known isolation but got isolation=[] (type=list). Known: limits, process, sandbox.",
    ),
    "waivers": (
        "waivers = 3",
        "Expected a list of tables but got waivers=3 (type=int). "
        "Write `[[tool.nnx-conformance.waivers]]` above each waiver.",
    ),
    "waiver that is no table": (
        "waivers = [3]",
        "Expected a table but got [[tool.nnx-conformance.waivers]]=3 (type=int). "
        "Write `[[tool.nnx-conformance.waivers]]` on a line and `key = value` below it.",
    ),
    "waiver with another key": (
        f'{WAIVER}resaon = "x"',
        "Expected a key of [[tool.nnx-conformance.waivers]] but got key='resaon' (type=str). Did you mean 'reason'?",
    ),
    "waiver without a reason": (
        WAIVER,
        "Expected a waiver with 'reason' but got waiver={'check': 'quiet', 'candidate': 'a.py'} (type=dict). "
        'Say why it is excused: `reason = "..."`.',
    ),
    "waiver with an empty reason": (
        f'{WAIVER}reason = " "',
        "Expected a text that is not empty but got reason=' ' (type=str). Write `reason = \"...\"`.",
    ),
    "waiver without a candidate": (
        '[[tool.nnx-conformance.waivers]]\ncheck = "quiet"\nreason = "x"',
        "Expected a waiver with 'candidate' but got waiver={'check': 'quiet', 'reason': 'x'} (type=dict). "
        'Write `candidate = "..."`.',
    ),
    "day that is none": (
        f'{WAIVER}reason = "x"\nexpires = "soon"',
        "Expected a day but got expires='soon' (type=str). "
        "Write `expires = 2026-12-31`, the last day on which it excuses.",
    ),
    "day with a time": (
        f'{WAIVER}reason = "x"\nexpires = 2026-12-31T10:00:00',
        "Expected a day but got expires=datetime.datetime(2026, 12, 31, 10, 0) (type=datetime). "
        "Write `expires = 2026-12-31`, the last day on which it excuses.",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_setting_is_misuse(folder: Path, capsys: Any, text: str, message: str) -> None:
    path = settle(folder, text)
    assert check(capsys) == (2, "", f"nnx-conformance: {path}: {message}\n")


def test_a_table_that_is_none_is_misuse(folder: Path, capsys: Any) -> None:
    path = folder / "pyproject.toml"
    path.write_text("[tool]\nnnx-conformance = 3\n")
    message = (
        "Expected a table but got [tool.nnx-conformance]=3 (type=int). "
        "Write `[tool.nnx-conformance]` on a line and `key = value` below it."
    )
    assert check(capsys) == (2, "", f"nnx-conformance: {path}: {message}\n")


@pytest.mark.parametrize("content", [b"[tool", b"\xff\xfe", b"tool = 3"])
def test_a_file_that_is_no_toml_is_misuse(folder: Path, capsys: Any, content: bytes) -> None:
    path = folder / "pyproject.toml"
    path.write_bytes(content)
    status, out, err = check(capsys)
    assert (status, out) == (2, "")
    assert err.startswith(f"nnx-conformance: {path} cannot be read: ")
    assert err.endswith(". Fix it, or run where no project is.\n")


def test_without_target_and_candidates_there_is_nothing_to_judge(folder: Path, capsys: Any) -> None:
    settle(folder, "")
    status, out, err = check(capsys)
    assert (status, out) == (2, "")
    assert (
        "Error: Missing argument 'TARGET...'. Name what to judge, or set `candidates` in [tool.nnx-conformance] of "
        "pyproject.toml.\n"
    ) in err


def test_a_glob_that_matches_nothing_is_misuse(folder: Path, capsys: Any) -> None:
    path = settle(folder, 'candidates = ["no*.py"]')
    message = (
        "Expected a glob of files that exist but got candidates='no*.py' (type=str). "
        f"Fix it in [tool.nnx-conformance] of {path}; it is relative to that file's folder."
    )
    assert check(capsys) == (2, "", f"nnx-conformance: {message}\n")


def test_candidates_are_relative_to_their_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(folder, 'candidates = ["solutions/*.py::count", "package.module:name", "solutions/b.py::count", "c.py"]')
    (folder / "solutions").mkdir()
    for name in ("a.py", "b.py"):
        (folder / "solutions" / name).touch()
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert candidates.named(project.find(Path.cwd())) == (
        "../solutions/a.py::count",
        "../solutions/b.py::count",
        "package.module:name",
        "../c.py",
    )


@pytest.mark.slow
def test_without_a_target_what_the_settings_name_is_judged_as_they_say(folder: Path, capsys: Any) -> None:
    (folder / "one.py").write_text((CANDIDATES / "good.py").read_text())
    settle(folder, 'candidates = ["one.py"]\nmax-examples = 3\nstrict = true')
    status, out, _ = check(capsys, *FEW)
    (report,) = json.loads(out)["reports"]
    assert status == 0
    assert report["candidate"] == "one.py"
    assert (report["settings"]["max_examples"], report["settings"]["strict"]) == (3, True)


@pytest.mark.slow
def test_options_go_before_settings(folder: Path, capsys: Any) -> None:
    settle(folder, 'contract = "none"\ncandidates = ["none.py"]\nmax-examples = 3\nstrict = true')
    options = ("--contract", "mutability", "--max-examples", "2", "--no-strict")
    status, out, _ = check(capsys, str(CANDIDATES / "good.py"), *FEW, *options)
    (report,) = json.loads(out)["reports"]
    assert status == 0
    assert report["contract"] == "mutability"
    assert (report["settings"]["max_examples"], report["settings"]["strict"]) == (2, False)


def test_an_unknown_contract_in_the_settings_is_misuse(folder: Path, capsys: Any) -> None:
    settle(folder, 'contract = "mutabilty"')
    message = (
        "Expected the name of an installed contract but got contract='mutabilty' (type=str). Did you mean 'mutability'?"
    )
    assert check(capsys, str(CANDIDATES / "good.py")) == (2, "", f"nnx-conformance: {message}\n")


def test_points_of_an_unknown_check_are_misuse(folder: Path) -> None:
    settle(folder, "points = {wraper-kept = 3}")
    with pytest.raises(Misuse, match="Did you mean 'wrapper-kept'"):
        candidates.known_checks(project.find(folder))
