"""`nnx-conformance new-contract`: what it writes works as it stands, and nothing is overwritten."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.cli.group import cli

INSTALLED = "Metadata-Version: 2.1\nName: my-total\nVersion: 0.1.0\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["new-contract", *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def install(project: Path) -> dict[str, str]:
    """The environment in which a scaffolded project is installed, as `pip install -e` would leave it."""
    (project / "my_total.dist-info").mkdir()
    (project / "my_total.dist-info" / "METADATA").write_text(INSTALLED)
    points = "[nnx_conformance.contracts]\nmy-total = my_total:CONTRACT\n"
    (project / "my_total.dist-info" / "entry_points.txt").write_text(points)
    return {**os.environ, "PYTHONPATH": str(project), "JAX_PLATFORMS": "cpu"}


@pytest.mark.slow
def test_the_test_of_what_is_written_passes(folder: Path, capsys: Any) -> None:
    assert run(capsys, "my-total")[0] == 0
    project = folder / "my-total"

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env=install(project),
        capture_output=True,
        text=True,
        timeout=500,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_what_is_written_is_told_is_python_and_bears_the_name(folder: Path, capsys: Any) -> None:
    status, out, err = run(capsys, "my-total")

    written = [line.removeprefix("written: ") for line in out.splitlines()[:-1]]
    texts = {path: (folder / path).read_text() for path in written}
    assert (status, err) == (0, "")
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == set(written)
    assert out.splitlines()[-1] == "next: cd my-total && pip install -e '.[test]' && pytest"
    assert 'my-total = "my_total:CONTRACT"' in texts["my-total/pyproject.toml"]
    for path, text in texts.items():
        assert not re.search(r"@\w+@", text), path
        if path.endswith(".py"):
            assert ast.get_docstring(ast.parse(text)), path


def test_it_goes_into_the_folder_that_is_named(folder: Path, capsys: Any) -> None:
    status, out, _ = run(capsys, "my-total", "--into", "course/two")

    assert status == 0
    assert (folder / "course" / "two" / "my_total" / "checks.py").exists()
    assert out.endswith("next: cd course/two && pip install -e '.[test]' && pytest\n")


def test_nothing_is_overwritten(folder: Path, capsys: Any) -> None:
    (folder / "my-total").mkdir()
    (folder / "my-total" / "README.md").write_text("mine")

    status, out, err = run(capsys, "my-total")

    assert (status, out) == (2, "")
    assert err == (
        "nnx-conformance: Expected a new or empty folder but got --into='my-total' (type=str). "
        "Name another; nothing is overwritten.\n"
    )
    assert [path.name for path in (folder / "my-total").iterdir()] == ["README.md"]


NAMES = {
    "capitals": ("MyTotal", "Expected a name for a contract but got NAME='MyTotal' (type=str). Write words of small "
        "letters and digits with hyphens between them, `running-total`."),
    "a keyword": ("lambda", "Expected a name for a contract but got NAME='lambda' (type=str). Write words of small "
        "letters and digits with hyphens between them, `running-total`."),
    "a library": ("json", "Expected a name that no library has but got NAME='json' (type=str). Choose another, its "
        "package would hide that."),
    "installed": ("mutability", "Expected the name of a new contract but got NAME='mutability' (type=str). One of this "
        "name is installed; choose another."),
    "a path": ("../total", "Expected a name for a contract but got NAME='../total' (type=str). Write words of small "
        "letters and digits with hyphens between them, `running-total`."),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told"), NAMES.values(), ids=list(NAMES))
def test_a_name_that_will_not_do_is_told_with_its_fix(folder: Path, capsys: Any, name: str, told: str) -> None:
    assert run(capsys, name) == (2, "", f"nnx-conformance: {told}\n")
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_written_is_told(folder: Path, capsys: Any) -> None:
    (folder / "file").write_text("")

    status, _, err = run(capsys, "my-total", "--into", "file/below")

    assert status == 2
    assert err == "nnx-conformance: file/below cannot be written: Not a directory. Name another folder by --into.\n"
