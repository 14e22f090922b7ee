"""`check` shows its first finding as soon as a fresh process confirms it, and spends few processes on one that ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Check, Violation
from nnx_conformance.core.report import Settings
from nnx_conformance.core.trail import Line
from nnx_conformance.judging.check import Job, judge, judge_target
from nnx_conformance.judging.smallest import ENDS
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.reports.wording import first_finding
from nnx_conformance.sandbox.jail import Jail

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
LOST = GOOD.replace("write(self.count, read(self.count) + 1.0)", "self.count = read(self.count) + 1.0").replace(
    "read(model.count)", "model.count"
)
#: Wrong from its second case on, and in no fresh process.
LATER = (
    GOOD.replace("CURRENT =", "met = set()\nCURRENT =", 1)
    .replace("    model = Counter", "    met.add((float(seed), x.tobytes(), float(n_calls)))\n    model = Counter")
    .replace("read(model.count), last_x", "read(model.count) + (len(met) > 1), last_x")
)
LEAVES = GOOD.replace(
    "    model = Counter", "    if x.size > 1:\n        import os\n\n        os._exit(3)\n    model = Counter"
)
FEW = Settings(4, shrink=False)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "shown"), [(LOST, ["wrapper-kept"]), (LATER, [])], ids=["lost", "by history"])
def test_the_first_finding_is_shown_once_and_before_the_report(tmp_path: Path, source: str, shown: list[str]) -> None:
    (tmp_path / "solution.py").write_text(source)
    found: list[tuple[str, Violation]] = []
    target, jail = str(tmp_path / "solution.py"), Jail(level="process")
    report = judge_target(
        target, "mutability", FEW, Limits(), jail=jail, on_finding=lambda check, why: found.append((check.id, why))
    )
    assert report.verdict == "does not conform"
    assert [check for check, _ in found] == shown
    assert all(why.line is not None for _, why in found)


def test_the_first_finding_is_one_line() -> None:
    check = Check("wrapper-kept", "MUST", "", "", lambda _, __: None, "", "")
    violation = Violation("`count` went from nnx.Variable to jax.Array", line=Line("solution.py", 7, ""))
    assert (
        first_finding(check, violation)
        == "wrapper-kept  MUST  violated: solution.py:7  `count` went from nnx.Variable to jax.Array"
    )


@pytest.mark.slow
def test_few_processes_are_spent_on_a_smaller_case_on_which_one_ends(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text(LEAVES)
    target, opened = parse(str(tmp_path / "solution.py")), list[Process]()
    with ForkServer(Jail(level="process")) as fork_server:

        def opener() -> Process:
            opened.append(Process(target, Clock(Limits()), fork_server))
            return opened[-1]

        report = judge(Job(opener, "solution.py", "mutability", Settings(20, checks=("returns-pair",))))
    (finding,) = report.findings
    assert finding.end is not None
    assert len(opened) <= 2 + ENDS
