"""Loading a subject: it may take longer than one case, and what cannot be imported breaks no law."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits

SUBJECT = """
import time

import numpy as np
from flax import nnx

{statement}


class Doubles(nnx.Module):
    def __call__(self, x):
        return 2 * x


subject = {{"make": lambda rngs: Doubles(), "inputs": [np.ones(3, np.float32)]}}
"""
ONE = Settings(max_examples=8, shrink=False, checks=("input-untouched",))


def judged(folder: Path, statement: str, limits: Limits) -> Report:
    path = folder / "doubles.py"
    path.write_text(SUBJECT.format(statement=statement))
    return judge_target(f"{path}::subject", "module-laws", ONE, limits)


@pytest.mark.slow
def test_a_subject_may_take_longer_to_import_than_a_case_may_take(tmp_path: Path) -> None:
    report = judged(tmp_path, "time.sleep(6)", Limits(case_seconds=5, wall=1, load_seconds=60))
    assert (report.verdict, report.findings) == ("conforms", ())


@pytest.mark.medium
def test_an_import_for_which_there_is_no_time_breaks_no_law(tmp_path: Path) -> None:
    report = judged(tmp_path, "time.sleep(600)", Limits(case_seconds=1, load_seconds=2, wall=1))
    assert (report.verdict, report.findings) == ("could not be judged", ())
    assert report.failure == "importing it took longer than 2 s, most of which it slept or waited"
    assert report.exit_status == 3


def test_an_import_that_raises_breaks_no_law(tmp_path: Path) -> None:
    report = judged(tmp_path, "import no_such_package", Limits())
    assert (report.verdict, report.findings) == ("could not be judged", ())
    assert report.failure == "importing it raised ModuleNotFoundError: No module named 'no_such_package'"
    assert {result.status for result in report.checks} == {"not applicable"}
