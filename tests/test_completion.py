"""What a shell offers: files, contracts, checks, formats and statuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from nnx_conformance.cli.group import cli


def offered(*typed: str) -> list[tuple[str, str]]:
    """What is offered for the last word, each with its type."""
    *arguments, incomplete = typed
    shell = ShellComplete(cli, {}, "nnx-conformance", "_NNX_CONFORMANCE_COMPLETE")
    return [(item.value, item.type) for item in shell.get_completions(arguments, incomplete)]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("check", "--contract", "m"), ["module-laws", "mutability"]),
        (("check", "--format", "j"), ["json", "junit"]),
        (("check", "--check", "wrap"), ["wrapper-kept"]),
        (("check", "--contract", "lifted", "--check", "returns"), ["returns-lanes"]),
        (("check", "--track", ""), ["nnx"]),
        (("check", "--isolation", "s"), ["sandbox"]),
        (("explain", "wrap"), ["wrapper-kept"]),
        (("explain", "mutab"), ["mutability"]),
        (("contracts", "r"), ["running-mean"]),
        (("grade", "--format", "c"), ["csv"]),
        (("grade", "--engine", ""), ["local", "ray"]),
        (("results", "r.sqlite3", "--status", "does"), ["does not conform"]),
        (("results", "r.sqlite3", "--format", "m"), ["markdown"]),
        (("results", "r.sqlite3", "--violates", "zero"), ["zero-calls"]),
        (("audit", "s"), ["split-merge"]),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_names_are_offered(typed: tuple[str, ...], words: list[str]) -> None:
    assert offered(*typed) == [(word, "plain") for word in words]


@pytest.mark.parametrize("command", ["check", "explore", "grade", "init", "replay"])
def test_files_are_offered(command: str) -> None:
    assert offered(command, "sol") == [("sol", "file")]


def test_checks_are_those_of_the_settings_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.nnx-conformance]\ncontract = "lifted"\n')
    assert offered("check", "--check", "returns") == [("returns-lanes", "plain")]


def test_bad_settings_do_not_land_in_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.nnx-conformance]\ncontract = 3\n")
    assert offered("check", "--check", "wrap") == [("wrapper-kept", "plain")]


def test_checks_of_an_unknown_contract_are_none() -> None:
    assert offered("check", "--contract", "nothing", "--check", "") == []
