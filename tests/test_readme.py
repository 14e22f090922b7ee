"""The README shows what is really printed, and its table is the registry's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import flax
import pytest

from nnx_conformance import candidates, contract, project

pytest_plugins = ["pytester"]

MUTABILITY = contract.get("mutability")
README = Path(__file__).parents[1] / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="the tests run without the checkout")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.skipif(not flax.__version__.startswith("0.12."), reason="the report was printed on Flax 0.12")
def test_the_report_is_what_the_command_prints(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text(blocks("python")[0])
    command = [sys.executable, "-m", "nnx_conformance", "check", "solution.py"]
    environment = {**os.environ, "COLUMNS": "80"}

    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert told.returncode == 1
    assert told.stderr == ""
    # The last two lines tell versions and seconds.
    assert told.stdout.strip().splitlines()[:-2] == blocks("text")[0].strip().splitlines()[:-2]


def test_the_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(blocks("toml")[0])
    settled = project.find(tmp_path)

    assert settled.candidates == ("solution.py", "solutions/*.py")
    assert [waiver.candidate for waiver in settled.waivers] == ["solutions/*.py"]
    candidates.known_checks(settled)


def test_the_test_module_is_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(solution="def mutability_increment_count(seed, x, n_calls): ...", test_it=blocks("python")[1])
    collected = pytester.runpytest("--collect-only", "-q").outlines

    ids = [f"test_it.py::test_each_check[mutability_increment_count-{check.id}]" for check in MUTABILITY.checks]
    assert [line for line in collected if "::" in line] == [*ids, "test_it.py::test_as_a_whole"]


def test_every_check_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (MUST|SHOULD) \| (.*) \|$", README.read_text(), flags=re.MULTILINE)

    assert rows == [(check.id, check.level, check.requirement) for check in MUTABILITY.checks]
