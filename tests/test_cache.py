"""`--cache`: what has not changed is not judged again, and whatever a verdict depends on counts as a change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.cli.group import cli
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.report import Settings
from nnx_conformance.project import cache, content, stored_findings
from nnx_conformance.project import settings as project

CANDIDATES = Path(__file__).parent / "candidates"
FEW = ("--max-examples", "2", "--check", "returns-pair", "--check", "wrapper-kept", "--cache", "--format", "json")
TAKEN = "one.py: nothing has changed; this is the verdict of an earlier run, from .nnx-conformance/cache\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the candidate one.py, and the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(CANDIDATES / "good.py", tmp_path / "one.py")
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["check", "one.py", *FEW, *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def key(**changed: Any) -> str:
    given = {"target": "one.py", "contract": "mutability", "settings": Settings(), "project": project.find(Path.cwd())}
    return cache.key(**{**given, **changed}, others=[])


@pytest.mark.medium
def test_what_has_not_changed_is_not_judged_again(folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = check(capsys)
    assert (first[0], first[2]) == (0, "")

    def judge(*_: object) -> None:
        raise AssertionError("it was judged again")

    monkeypatch.setattr("nnx_conformance.judging.check.judge_target", judge)
    assert check(capsys) == (0, first[1], TAKEN)


@pytest.mark.slow
def test_a_finding_is_told_again_and_can_be_replayed_again(folder: Path, capsys: Any) -> None:
    shutil.copy(CANDIDATES / "loses_wrapper.py", folder / "one.py")
    first = check(capsys)
    for path in (folder / stored_findings.FOLDER).glob("wrapper-kept-*.json"):
        path.unlink()
    assert check(capsys) == (1, first[1], TAKEN)
    (replay,) = [finding["replay"] for finding in json.loads(first[1])["reports"][0]["findings"]]
    assert (folder / replay.split()[-1]).is_file()


@pytest.mark.slow
def test_the_cache_is_safe_to_delete_and_to_damage(folder: Path, capsys: Any) -> None:
    first = check(capsys)
    (kept,) = (folder / cache.FOLDER).glob("*.report")
    for damage in ("", "[]", '{"candidate": 1}'):
        kept.write_text(damage)
        status, _, err = check(capsys)
        assert (status, err) == (0, "")
    shutil.rmtree(folder / cache.FOLDER)
    assert check(capsys)[0] == first[0]
    assert (folder / ".nnx-conformance" / ".gitignore").read_text() == "*\n"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_keeps_nothing(folder: Path, capsys: Any) -> None:
    (folder / stored_findings.FOLDER).mkdir()
    (folder / stored_findings.FOLDER / "cache").touch()
    assert check(capsys)[::2] == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("ended", ["raise SystemExit(3)", "import os; os._exit(3)"])
def test_what_may_end_otherwise_another_time_is_not_kept(folder: Path, capsys: Any, ended: str) -> None:
    (folder / "one.py").write_text(f"{ended}\n")
    assert check(capsys)[0] == 1
    assert list((folder / cache.FOLDER).glob("*.report")) == []


def test_equal_content_has_an_equal_key(folder: Path) -> None:
    before = key()
    time.sleep(0.01)
    (folder / "one.py").touch()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "one.pyc").touch()
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "notes").touch()
    assert key() == before


def write(path: Path, text: str = "value = 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


CHANGES: dict[str, Any] = {
    "the candidate": lambda folder: write(folder / "one.py"),
    "a helper beside it": lambda folder: write(folder / "helper.py"),
    "a helper in a folder beside it": lambda folder: write(folder / "helpers" / "inner.py"),
    "data beside it": lambda folder: write(folder / "weights.bin"),
    "a waiver": lambda folder: write(
        folder / "pyproject.toml",
        '[[tool.nnx-conformance.waivers]]\ncheck = "quiet"\ncandidate = "one.py"\nreason = "x"\n',
    ),
    "isolation": lambda folder: write(folder / "pyproject.toml", '[tool.nnx-conformance]\nisolation = "sandbox"\n'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_files_changes_the_key(folder: Path, change: Any) -> None:
    before = key()
    change(folder)
    assert key() != before


SETTINGS = [Settings(3), Settings(seed=3), Settings(strict=True), Settings(shrink=False), Settings(checks=("quiet",))]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_change_of_settings_changes_the_key(folder: Path, settings: Settings) -> None:
    assert key(settings=settings) != key()


@pytest.mark.parametrize("variable", ["JAX_ENABLE_X64", "XLA_FLAGS", "PYTHONHASHSEED", "FLAX_ANYTHING"])
def test_a_change_of_the_environment_changes_the_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    before = key()
    monkeypatch.setenv(variable, "1")
    assert key() != before


def test_another_version_of_anything_installed_changes_the_key(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("environment") / "site-packages"
    (site / "flax-0.1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    before = key()
    (site / "flax-0.1.dist-info").rename(site / "flax-0.2.dist-info")
    assert key() != before


def test_a_change_of_the_kit_changes_the_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {str(path) for path in content._kit("mutability")}
    for name in ("judging/judge.py", "counter/state.py", "report.schema.json", "nnx_strategies/__init__.py"):
        assert [path for path in files if path.endswith(name)], name


def test_a_package_of_ones_own_elsewhere_counts_however_far_away(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path_factory.mktemp("source")
    write(source / "mine" / "__init__.py", "import yours\n")
    write(source / "mine" / "layers.py")
    write(source / "yours.py")
    write(source / "theirs.py")
    monkeypatch.setattr(sys, "path", [*sys.path, str(source)])
    write(folder / "one.py", "def f():\n    from mine.layers import value\n")
    keys = [key()]
    for path in (source / "mine" / "layers.py", source / "yours.py"):
        write(path, "value = 2\n")
        keys.append(key())
    assert len(set(keys)) == 3
    write(source / "theirs.py", "value = 2\n")
    assert key() == keys[-1]


def test_a_module_counts_with_its_package(folder: Path) -> None:
    write(folder / "package" / "mine.py")
    before = content.fingerprint(parse("package.mine:f"), "mutability")
    write(folder / "package" / "other.py")
    assert content.fingerprint(parse("package.mine:f"), "mutability") != before


@pytest.mark.slow
def test_a_folder_of_too_much_is_judged_each_time_and_says_so(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MOST_FILES", 2000)
    for number in range(2000):
        write(folder / f"helper_{number}.py")
    status, _, err = check(capsys)
    assert status == 0
    assert (
        err == f"one.py: judged again, as its verdict cannot be cached: {folder} holds more than 2000 files or 64 MiB\n"
    )
    assert not (folder / cache.FOLDER).exists()


@pytest.mark.slow
def test_only_the_newest_verdicts_are_kept(folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check(capsys)
    (kept,) = (folder / cache.FOLDER).glob("*.report")
    report = cache.read(folder, kept.stem)
    assert report is not None
    monkeypatch.setattr(cache, "KEPT", 2)
    for number in range(4):
        cache.keep(folder, str(number), report)
        os.utime(folder / cache.FOLDER / f"{number}.report", (number, number))
    assert {path.stem for path in (folder / cache.FOLDER).glob("*.report")} == {"3", kept.stem}


@pytest.mark.slow
def test_a_verdict_that_is_kept_costs_no_import_of_jax(folder: Path, capsys: Any) -> None:
    check(capsys)
    code = (
        "import sys\n"
        "from nnx_conformance.cli import cli\n"
        f"try: cli(['check', 'one.py', *{FEW!r}])\n"
        "except SystemExit as left: print(left.code)\n"
        "print([name for name in ('jax', 'flax', 'chex', 'hypothesis') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == TAKEN
    assert done.stdout.splitlines()[-2:] == ["0", "[]"]
