"""Modules that people reported, each as a file of its own, with what is right to say of it."""

from __future__ import annotations

from pathlib import Path

import flax
import pytest

from nnx_conformance.core.report import Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits

FOLDER = Path(__file__).parent / "subjects" / "reported"
VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
SETTINGS = Settings(max_examples=8, shrink=False)
#: The first Flax on which a file means what it says, and of each finding the check and its line; advice in brackets.
RIGHT: dict[str, tuple[tuple[int, int], dict[str, str]]] = {
    "constants_in_variables": ((0, 11), {}),
    "eval_shape_closes_over": ((0, 8), {"calls-return": "width = nnx.eval_shape(lambda: self.norm("}),
    "factory_graph_mode_only": ((0, 12), {"(tree-mode-ready)": ""}),
    "frozen_table_as_param": ((0, 11), {"(param-trained)": ""}),
    "graph_mode_only": ((0, 12), {"(tree-mode-ready)": ""}),
    "lost_in_plain_jit": ((0, 11), {"updates-kept": "@jax.jit"}),
    "optimizer_over_two_layers": ((0, 12), {}),
    "rngs_in_the_call": ((0, 11), {}),
    "slow_to_import": ((0, 11), {}),
    "statistics_of_a_copy": ((0, 8), {"updates-kept": "return nnx.merge(graphdef, jax.tree.map("}),
    "stream_advances_in_eval": ((0, 8), {}),
    "transform_closes_over_the_module": ((0, 9), {"calls-return": "return nnx.vmap(lambda row: self.norm(row))(x)"}),
}


def test_each_file_is_judged() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == RIGHT.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_a_reported_module_gets_what_is_right(name: str) -> None:
    least, findings = RIGHT[name]
    if least > VERSION:
        pytest.skip("it is written for a newer Flax")
    report = judge_target(
        f"{FOLDER / name}.py::subject", "module-laws", SETTINGS, Limits(5 if name == "slow_to_import" else 60, 900)
    )
    told = {
        finding.check if finding.level == "MUST" else f"({finding.check})": finding.line.source if finding.line else ""
        for finding in report.findings
        if finding.check != "current-access"
    }
    assert told.keys() == findings.keys(), report.findings
    assert all(told[check].startswith(line) for check, line in findings.items())
