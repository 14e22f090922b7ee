"""What a Python prompt shows: the public names, and a report as text."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nnx_conformance
from nnx_conformance.core.report import Report
from nnx_conformance.pytest_plugin.parametrize import ids_of
from nnx_conformance.reports.terminal import report_text
from reports import finding, report


def counted(seed: float, x: object, n_calls: float) -> None:
    """A candidate by its name."""


def test_the_public_names_are_listed() -> None:
    assert dir(nnx_conformance) == sorted(nnx_conformance.__all__)


def test_the_version_is_that_of_the_distribution() -> None:
    assert nnx_conformance.__version__ == importlib.metadata.version("nnx-conformance")


def test_a_report_prints_as_the_terminal_shows_it() -> None:
    assert nnx_conformance.Report is Report  # using the public name gives reports their forms
    shown = report(finding())
    assert str(shown) == f"{shown}" == report_text(shown)


def test_lambdas_have_readable_ids_and_repeated_names_a_number() -> None:
    def inner(seed: float, x: object, n_calls: float) -> None: ...

    candidates: list[Any] = [counted, lambda a, b, c: a, lambda a, b, c: b, inner, counted, "solution.py"]

    wanted = ["counted", "lambda", "lambda-2", "inner", "counted-2", "solution.py"]
    assert ids_of(candidates) == wanted


def test_a_subject_is_called_by_its_name() -> None:
    made = functools.partial(nnx_conformance.Subject, inputs=[1.0])
    assert ids_of([made(lambda rngs: None, name="norm"), made(lambda rngs: None)]) == ["norm", "lambda"]


def test_what_the_kit_keeps_in_a_project_is_ignored_by_git(tmp_path: Path) -> None:
    from nnx_conformance.project.folder import made

    made(tmp_path, "cache")
    ignored = tmp_path / ".nnx-conformance" / ".gitignore"
    assert ignored.read_text() == "*\n"
    ignored.write_text("cache\n")
    made(tmp_path)
    assert ignored.read_text() == "cache\n"  # its owner has said otherwise


@pytest.mark.medium
def test_an_unknown_check_is_answered_with_each_known_id_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nnx_conformance", "explain", "zzz"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    assert said.count("wrapper-kept") == 1
