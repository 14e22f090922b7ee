"""The files of `nnx-conformance init`: settings, a tox environment, a pre-commit entry, a CI workflow.

What is there already is left as it is: a file is made if there is none, and added to at its end where that is safe. A
`FileStep` says what to do with one file; nothing is written while steps are made.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nnx_conformance.core.errors import Misuse
from nnx_conformance.project.settings import TABLE

Kind = Literal["create", "add to", "leave"]


@dataclass(frozen=True)
class FileStep:
    """One file.

    Attributes:
        path: relative to the project's folder.
        kind: whether it is made, added to, or left.
        text: what is written; for a file that is left, what to write by hand, empty if it is there already.
        why: why it is left.
    """

    path: str
    kind: Kind
    text: str
    why: str = ""


def steps(root: Path, contract: str, candidates: Iterable[str]) -> tuple[FileStep, ...]:
    """The steps of `init` in a project's folder, in order.

    Raises:
        Misuse: if its pyproject.toml cannot be read.
    """
    settled = _pyproject(root)
    return (
        _settings(root, settled, contract, list(candidates)),
        _tox(root, settled),
        _pre_commit(root),
        _workflow(root),
    )


def write(root: Path, step: FileStep) -> None:
    """Do one step; an existing file keeps every byte that it has."""
    path = root / step.path
    if step.kind == "create":
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(step.text)
    elif step.kind == "add to":
        with path.open("a", encoding="utf-8") as file:
            file.write(step.text)


def _pyproject(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise Misuse(f"{path} cannot be read: {error}. Fix it first.") from error


def _added(root: Path, name: str, text: str) -> FileStep:
    """A step that makes a file, or adds to its end."""
    path = root / name
    if not path.exists():
        return FileStep(name, "create", text)
    old = path.read_text(encoding="utf-8")
    return FileStep(name, "add to", ("" if old.endswith("\n") or not old else "\n") + ("\n" if old else "") + text)


def _settings(root: Path, settled: dict[str, Any], contract: str, candidates: list[str]) -> FileStep:
    if "nnx-conformance" in settled.get("tool", {}):
        return FileStep("pyproject.toml", "leave", "", f"it has [{TABLE}] already")
    listed = json.dumps(candidates, ensure_ascii=False)
    return _added(root, "pyproject.toml", SETTINGS.format(table=TABLE, contract=contract, candidates=listed))


def _tox(root: Path, settled: dict[str, Any]) -> FileStep:
    text = TOX.format(skip="" if "project" in settled else "skip_install = true\n")
    path = root / "tox.ini"
    if not path.exists():
        for name in ("tox.toml", "setup.cfg"):
            if (root / name).exists() and "tox" in (root / name).read_text(encoding="utf-8"):
                return FileStep("tox.ini", "leave", text, f"tox is settled in {name}; write there what this says")
        if "tox" in settled.get("tool", {}):
            return FileStep("tox.ini", "leave", text, "tox is settled in pyproject.toml; write there what this says")
        return FileStep("tox.ini", "create", f"[tox]\nenv_list = conformance\n\n{text}")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except configparser.Error:
        return FileStep("tox.ini", "leave", text, "it cannot be read")
    if "testenv:conformance" in parser:
        return FileStep("tox.ini", "leave", "", "it has [testenv:conformance] already")
    return _added(root, "tox.ini", text)


def _pre_commit(root: Path) -> FileStep:
    name = ".pre-commit-config.yaml"
    path = root / name
    if not path.exists():
        return FileStep(name, "create", "repos:\n" + PRE_COMMIT)
    old = path.read_text(encoding="utf-8")
    if "nnx-conformance" in old:
        return FileStep(name, "leave", "", "it has nnx-conformance already")
    indent = _indent(old)
    if indent is None:
        return FileStep(name, "leave", PRE_COMMIT, "its `repos:` is not a list at its end; write this into it")
    text = "".join(indent + line for line in PRE_COMMIT.splitlines(keepends=True))
    return FileStep(name, "add to", text if old.endswith("\n") else f"\n{text}")


def _indent(text: str) -> str | None:
    """The indent of the items of `repos:`; None unless it is a block list and the file's last key.

    Without a parser of YAML, only this usual form is added to.
    """
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"[\w\"']", line)]
    if not keys or lines[keys[-1]].rstrip() != "repos:":
        return None
    items = [line for line in lines[keys[-1] + 1 :] if line.lstrip(" ").startswith("- ")]
    return items[0][: -len(items[0].lstrip(" "))] if items else None


def _workflow(root: Path) -> FileStep:
    name = ".github/workflows/conformance.yml"
    if (root / name).exists():
        return FileStep(name, "leave", "", "it is there already")
    return FileStep(name, "create", WORKFLOW)


SETTINGS = """\
[{table}]
contract = "{contract}"
candidates = {candidates}
max-examples = 200
strict = false
"""

TOX = """\
[testenv:conformance]
description = judge the candidates that pyproject.toml names
{skip}deps = nnx-conformance
set_env = JAX_PLATFORMS = cpu
commands = nnx-conformance check {{posargs}}
"""

PRE_COMMIT = """\
- repo: local
  hooks:
    - id: nnx-conformance
      name: nnx-conformance
      entry: nnx-conformance check --cache
      language: system  # the environment that has your Flax; install nnx-conformance there
      types_or: [python, jupyter, toml]
      pass_filenames: false
"""

WORKFLOW = """\
name: conformance
on: [push, pull_request]
permissions:
  contents: read
jobs:
  conformance:
    runs-on: ubuntu-latest
    env:
      JAX_PLATFORMS: cpu
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      # Add here what your candidates import.
      - run: python -m pip install nnx-conformance
      - run: nnx-conformance check --format github
"""
