"""The catalogue of a contract: found by the name of its package, read without importing anything of it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import nnx_reference
from nnx_conformance import Misuse
from nnx_conformance.audit.catalogue import catalogue, folder
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Contract
from nnx_reference.catalogue import read

WRONG = '''"""Counts twice."""

CATCHES = ("count-equals-calls",)
MIN_FLAX = "0.10.7"

raise SystemExit("nobody may import this")
'''


def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> Contract:
    """A contract of somebody's, whose catalogue lies in `theirs/laws/wrong_and_right`."""
    home = tmp_path / "theirs" / "laws" / "wrong_and_right"
    for name, text in files.items():
        kind, _, stem = name.partition("__")
        path = home / kind / f"{stem}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "theirs" / "__init__.py").write_text("raise SystemExit('nobody may import this either')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    mutability = contracts.get("mutability")
    return dataclasses.replace(mutability, name="theirs", entry="subject", catalogue="theirs.laws.wrong_and_right")


def test_the_catalogue_of_mutability_is_that_of_the_reference() -> None:
    found = catalogue(contracts.get("mutability"))

    assert found.rights == nnx_reference.rights()
    assert found.mutants == nnx_reference.mutants()
    assert len(found.mutants) > 100


def test_the_catalogue_of_somebody_is_read_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"mutants__wrong": WRONG, "right__fine": '"""Is right."""\nADVICE = ["quiet"]\n', "right__alone": ""}
    contract = third_party(tmp_path, monkeypatch, **files)

    found = catalogue(contract)

    (wrong,) = found.mutants
    assert (wrong.name, wrong.catches, wrong.min_flax) == ("wrong", ("count-equals-calls",), "0.10.7")
    assert (wrong.contract, wrong.entry, wrong.story) == ("theirs", "subject", "Counts twice.")
    assert [(right.name, right.advice) for right in found.rights] == [("alone", ()), ("fine", ("quiet",))]


def test_what_needs_a_module_that_is_not_installed_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "right" / "other.py"
    path.parent.mkdir()
    path.write_text('"""Of another framework."""\nNEEDS = ("no_such_framework", "ast")\n')

    (right,) = read(tmp_path, contract="laws", entry="subject").rights

    assert right.needs == ("no_such_framework", "ast")
    assert right.missing() == ("no_such_framework",)


def test_what_the_entry_names_need_not_be_a_function(tmp_path: Path) -> None:
    path = tmp_path / "right" / "data.py"
    path.parent.mkdir()
    path.write_text('"""Data."""\nsubject = {"make": None}\n')

    (right,) = read(tmp_path, contract="laws", entry="subject").rights

    assert right.load() == {"make": None}


def test_graded_candidates_must_not_read_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = third_party(tmp_path, monkeypatch, mutants__wrong=WRONG)

    assert str(tmp_path / "theirs") in list(contracts.reference_folders(contract))


@pytest.mark.parametrize("name", ["", "nowhere", "nnx_reference.nowhere", "nnx_reference/mutability", ".."])
def test_a_catalogue_that_is_not_there_is_refused(name: str) -> None:
    contract = dataclasses.replace(contracts.get("mutability"), catalogue=name)
    what = (
        "a contract with a catalogue"
        if name in ("", "..", "nnx_reference/mutability")
        else ("the package of a folder that exists")
    )

    with pytest.raises(Misuse) as caught:
        folder(contract)

    assert str(caught.value) == (
        f"Expected {what} but got catalogue={name!r} (type=str). Name the package whose folder holds `right/` and "
        "`mutants/`, as in Contract(..., catalogue='package.folder')."
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'CATCHES = "quiet"',
            "Expected a tuple of names but got CATCHES='quiet' in wrong.py, line 1. "
            'Write `CATCHES = ("wrapper-kept",)`.',
        ),
        (
            "ADVICE = (QUIET,)",
            'Expected a tuple of names but got ADVICE=(QUIET,) in wrong.py, line 1. Write `ADVICE = ("quiet",)`.',
        ),
        (
            "MIN_FLAX = 0.12",
            "Expected a version of Flax in quotes but got MIN_FLAX=0.12 in wrong.py, line 1. "
            'Write `MIN_FLAX = "0.10.7"`.',
        ),
    ],
)
def test_metadata_of_another_form_are_refused_with_the_line(
    line: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = third_party(tmp_path, monkeypatch, mutants__wrong=line)

    with pytest.raises(Misuse) as caught:
        catalogue(contract)

    assert str(caught.value) == f"The catalogue of contract 'theirs' cannot be read. {told}"


def test_a_file_that_is_no_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = third_party(tmp_path, monkeypatch, mutants__wrong="def f(:\n")

    with pytest.raises(Misuse, match=r"Expected a Python file but got path='.*wrong\.py': .*Fix or remove it\."):
        catalogue(contract)


def test_finding_a_catalogue_imports_neither_jax_nor_its_package() -> None:
    program = (
        "import sys\nfrom nnx_conformance.audit import catalogue\n"
        "one = type('Named', (), {'catalogue': 'flax.nnx', 'name': 'one', 'entry': 'subject'})\n"
        "catalogue.folder(one)\nprint({'jax', 'flax'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "set()"
