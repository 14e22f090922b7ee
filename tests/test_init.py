"""`nnx-conformance init`: what it writes works, is shown first, and takes nothing away from what is there."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnx_conformance.cli.group import cli
from nnx_conformance.cli.scaffolding import scaffold
from nnx_conformance.project import settings as project

CANDIDATES = Path(__file__).parent / "candidates"
FILES = ("pyproject.toml", "tox.ini", ".pre-commit-config.yaml", ".github/workflows/conformance.yml")
HOOK = ["nnx-conformance"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a candidate, and the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solution.py").write_text((CANDIDATES / "good.py").read_text())
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["init", *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def hooks(folder: Path) -> list[str]:
    read = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())
    return [hook["id"] for repository in read["repos"] for hook in repository["hooks"]]


def test_an_empty_project_gets_all_four_files(folder: Path, capsys: Any) -> None:
    status, out, err = run(capsys, "solution.py", "--yes")
    assert (status, err) == (0, "")
    for name in FILES:
        assert f"create {name}\n" in out
        assert f"written: {name}\n" in out
        for line in (folder / name).read_text().splitlines()[-5:]:
            assert line in out
    settled = project.find(folder)
    assert (settled.contract, settled.candidates, settled.max_examples) == ("mutability", ("solution.py",), 200)
    assert hooks(folder) == HOOK
    workflow = yaml.safe_load((folder / FILES[3]).read_text())
    steps = workflow["jobs"]["conformance"]["steps"]
    assert steps[-1] == {"run": "nnx-conformance check --format github"}


def test_the_second_time_there_is_nothing_to_write(folder: Path, capsys: Any) -> None:
    run(capsys, "solution.py", "--yes")
    before = {name: (folder / name).read_text() for name in FILES}
    status, out, err = run(capsys, "solution.py", "--yes")
    assert (status, err) == (0, "")
    assert out.split("\n\n") == [
        "leave pyproject.toml: it has [tool.nnx-conformance] already",
        "leave tox.ini: it has [testenv:conformance] already",
        "leave .pre-commit-config.yaml: it has nnx-conformance already",
        "leave .github/workflows/conformance.yml: it is there already",
        "nothing to write\n",
    ]
    assert {name: (folder / name).read_text() for name in FILES} == before


THERE = {
    "pyproject.toml": '[project]\nname = "mine"',
    "tox.ini": "[tox]\nenv_list = py\n\n[testenv]\ncommands = pytest\n",
    ".pre-commit-config.yaml": "repos:\n  - repo: https://example.org/r\n    rev: v1\n    hooks:\n      - id: ruff\n",
    ".github/workflows/conformance.yml": "name: mine\n",
}


def test_what_is_there_keeps_every_byte(folder: Path, capsys: Any) -> None:
    for name, text in THERE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    status, out, _ = run(capsys, "solution.py", "--yes")
    assert status == 0
    for name, text in THERE.items():
        assert (folder / name).read_text().startswith(text)
    assert "add to tox.ini" in out
    assert "leave .github/workflows/conformance.yml: it is there already" in out
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"] == {"name": "mine"}
    assert project.find(folder).candidates == ("solution.py",)
    assert "skip_install" not in (folder / "tox.ini").read_text()
    assert hooks(folder) == ["ruff", "nnx-conformance"]
    assert (folder / FILES[3]).read_text() == "name: mine\n"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("repos:\n- repo: a\n  hooks:\n  - id: ruff\n", ["ruff", "nnx-conformance"]),
        ("ci:\n  skip: []\nrepos:\n    - repo: a\n      hooks:\n      - id: ruff", ["ruff", "nnx-conformance"]),
        ("repos:\n  # first\n  - repo: a\n    hooks: [{id: ruff}]\n\n# last\n", ["ruff", "nnx-conformance"]),
        ("repos:\n- repo: a\n  hooks:\n  - id: ruff\nci:\n  skip: []\n", ["ruff"]),
        ("repos: [{repo: a, hooks: [{id: ruff}]}]\n", ["ruff"]),
    ],
)
def test_a_list_of_hooks_is_added_to_where_that_is_safe(folder: Path, capsys: Any, text: str, ids: list[str]) -> None:
    (folder / ".pre-commit-config.yaml").write_text(text)
    _, out, _ = run(capsys, "solution.py", "--yes")
    assert (folder / ".pre-commit-config.yaml").read_text().startswith(text)
    assert hooks(folder) == ids
    by_hand = (
        "leave .pre-commit-config.yaml: its `repos:` is not a list at its end; write this into it\n    - repo: local"
    )
    assert (by_hand in out) == (len(ids) == 1)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("pyproject.toml", "[tool.tox]\n", "tox is settled in pyproject.toml; write there what this says"),
        ("tox.toml", 'env_list = ["tox"]\n', "tox is settled in tox.toml; write there what this says"),
        ("setup.cfg", "[tox:tox]\n", "tox is settled in setup.cfg; write there what this says"),
        ("tox.ini", "no section\n", "it cannot be read"),
    ],
)
def test_tox_that_is_settled_elsewhere_is_left(folder: Path, capsys: Any, name: str, text: str, why: str) -> None:
    (folder / name).write_text(text)
    _, out, _ = run(capsys, "solution.py", "--yes")
    assert f"leave tox.ini: {why}\n    [testenv:conformance]\n" in out
    assert (folder / name).read_text().startswith(text)


def test_a_dry_run_shows_and_writes_nothing(folder: Path, capsys: Any) -> None:
    status, out, _ = run(capsys, "solution.py", "--dry-run")
    assert status == 0
    assert "create tox.ini\n    [tox]\n" in out
    assert out.endswith("nothing is written\n")
    assert [path.name for path in folder.iterdir()] == ["solution.py"]


def test_without_a_terminal_nothing_is_written_unasked(folder: Path) -> None:
    command = [sys.executable, "-m", "nnx_conformance", "init", "solution.py"]
    done = subprocess.run(command, input="y\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        "nnx-conformance: there is no terminal to ask; give --yes to write this.\nnothing is written\n"
    )
    assert "create tox.ini\n" in done.stdout
    assert [path.name for path in folder.iterdir()] == ["solution.py"]


@pytest.mark.parametrize(("answer", "status", "files"), [("y\n", 0, 5), ("n\n", 2, 1)])
def test_a_terminal_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, files: int
) -> None:
    from click.testing import CliRunner

    monkeypatch.setattr("nnx_conformance.cli.scaffolding.init._interactive", lambda: True)
    done = CliRunner().invoke(cli, ["init", "solution.py"], input=answer)
    assert done.exit_code == status
    assert "Write this? [y/N]: " in done.output
    assert len(list(folder.iterdir())) == files


MISUSE = {
    "target": (("nope.py",), "Expected a file that exists but got target='nope.py' (type=str). No such file. "),
    "contract": (
        ("solution.py", "--contract", "mutabilty"),
        "Expected the name of an installed contract but got --contract='mutabilty' (type=str). "
        "Did you mean 'mutability'?\n",
    ),
}


@pytest.mark.parametrize(("given", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_writes_nothing(folder: Path, capsys: Any, given: tuple[str, ...], message: str) -> None:
    status, out, err = run(capsys, *given, "--yes")
    assert (status, out) == (2, "")
    assert err.startswith(f"nnx-conformance: {message}")
    assert [path.name for path in folder.iterdir()] == ["solution.py"]


def test_settings_that_are_no_toml_are_misuse(folder: Path, capsys: Any) -> None:
    (folder / "pyproject.toml").write_text("[tool")
    status, out, err = run(capsys, "solution.py", "--yes")
    assert (status, out) == (2, "")
    assert err.startswith(f"nnx-conformance: {folder / 'pyproject.toml'} cannot be read: ")


def test_a_file_that_appeared_meanwhile_is_not_overwritten(folder: Path) -> None:
    (step,) = [step for step in scaffold.steps(folder, "mutability", ["solution.py"]) if step.path == "tox.ini"]
    (folder / "tox.ini").write_text("mine")
    with pytest.raises(FileExistsError):
        scaffold.write(folder, step)
    assert (folder / "tox.ini").read_text() == "mine"


def test_tox_knows_the_environment_that_is_written(folder: Path, capsys: Any) -> None:
    pytest.importorskip("tox")
    run(capsys, "solution.py", "--yes")
    command = [sys.executable, "-m", "tox", "config", "-e", "conformance", "-k", "commands", "deps", "skip_install"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "commands = nnx-conformance check\n" in done.stdout
    assert "deps = nnx-conformance\n" in done.stdout
    assert "skip_install = True\n" in done.stdout
