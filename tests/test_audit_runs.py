"""Whole audits, of a contract that `new-contract` writes: sound as it stands, and told what is wrong when it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.cli.scaffolding import new_contract

pytestmark = pytest.mark.slow
METADATA = "Metadata-Version: 2.1\nName: my-total\nVersion: 0.1.0\n"
POINTS = "[nnx_conformance.contracts]\nmy-total = my_total:CONTRACT\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A scaffolded contract, as `pip install -e` would leave it."""
    new_contract.write("my-total", tmp_path)
    (tmp_path / "my_total.dist-info").mkdir()
    (tmp_path / "my_total.dist-info" / "METADATA").write_text(METADATA)
    (tmp_path / "my_total.dist-info" / "entry_points.txt").write_text(POINTS)
    return tmp_path


def audit(project: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, what was found, and what was written to the terminal."""
    given = ("--seeds", "1", "--max-examples", "12", "--jobs", "1", "--format", "json", *options)
    done = subprocess.run(
        [sys.executable, "-m", "nnx_conformance", "audit", "my-total", *given],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_what_is_scaffolded_is_sound(project: Path) -> None:
    status, found, told = audit(project, "--by-hand")

    assert (status, found["problems"], told) == (0, [], "")
    assert [(row["kind"], row["caught"]) for row in found["rows"]] == [
        ("right", 0), ("right", 0), ("mutant", 1), ("mutant", 1), ("mutant", 1),
    ]  # fmt: skip
    assert found["partial"] == "hand-written only"


def test_a_lost_mutant_and_a_false_accusation_are_told(project: Path) -> None:
    package = project / "my_total"
    right, (wrong, *_) = package / "right" / "reference.py", sorted((package / "mutants").iterdir())
    text = wrong.read_text()
    catches = next(line for line in text.splitlines() if line.startswith("CATCHES"))
    (package / "right" / "accused.py").write_text(text.replace(catches, ""))
    wrong.write_text(f"{right.read_text()}\n{catches}\n")

    status, found, _ = audit(project, "--by-hand")

    lost, accused = (
        [problem for problem in found["problems"] if problem.startswith(name)] for name in (wrong.stem, "accused")
    )
    assert status == 1
    assert lost[0].startswith(f"{wrong.stem} is caught no more by ")
    assert accused[0].startswith("accused is right, and is accused by ")


def test_an_oracle_that_disagrees_with_the_reference_is_told(project: Path) -> None:
    oracle = project / "my_total" / "oracle.py"
    oracle.write_text(oracle.read_text().replace("return ", "return 1.0 + "))

    status, found, _ = audit(project, "--by-hand")

    (problem,) = found["problems"]
    assert status == 1 and found["rows"] == []
    assert problem.startswith(
        "its oracle and its reference 'my_total.right.reference:my_total' disagree under seed 0: "
    )


def test_a_quick_audit_judges_each_mutant_by_the_checks_that_it_names(project: Path) -> None:
    twice = project / "my_total" / "mutants" / "adds_absolute_values.py"  # two checks catch it
    twice.write_text(twice.read_text().replace('("returns-total", "total-in-variable")', '("returns-total",)'))

    status, found, told = audit(project, "--quick")

    assert (status, found["problems"], found["partial"], found["narrow"], told) == (0, [], "quick", True, "")
    mutants = [row for row in found["rows"] if row["kind"] == "mutant"]
    assert mutants and all(set(row["by"]) == set(row["expects"]) for row in mutants)
