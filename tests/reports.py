"""Reports made by hand, for what is rendered from them."""

from __future__ import annotations

import dataclasses

import numpy as np

from nnx_conformance.core import case, contracts
from nnx_conformance.core.candidate.loaded import Versions
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Line
from nnx_conformance.core.report import CheckResult, Excerpt, Finding, Report, Settings, Status
from nnx_conformance.core.search.conditions import Conditions, Unmet
from nnx_conformance.core.timeline import Point, StateChange, Timeline, TimelineStep

CONTRACT = contracts.get("mutability")
VERSIONS = Versions("3.11.7", "0.10.2", "0.12.8", "0.1.0")
SMALLEST = Case("core", (case.python("seed", 0.0), case.jax("x", np.zeros(1, np.float32)), case.python("n_calls", 1.0)))
#: What a candidate may write into a message, a path or its own source: markup, controls, commands, links, templates.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&]]>\x00\x1b[31m\u202e\ud800"
    "\r\n::error::gone\n##[error]gone [click](https://evil.example) www.evil.example @team #1 `tick | **bold** "
    "{{ 7 * 7 }} {% raw %} %0A --> <!-- </style></title>"
)


def finding(check: str = "wrapper-kept", **changes: object) -> Finding:
    """A finding as `wrapper-kept` makes it."""
    made = Finding(
        check=check,
        level=CONTRACT.check(check).level,
        what="in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array",
        expected="nnx.Variable",
        observed="jax.Array",
        line=Line("solution.py", 11, "self.count = self.count + 1.0"),
        cause="assigning to the attribute replaces the Variable",
        remedy="Write to the contents, `self.count[...] = self.count[...] + 1.0`.",
        case=SMALLEST,
        smallest=True,
        violated=62,
        evaluated=200,
        replay="nnx-conformance replay .nnx-conformance/wrapper-kept-3f2a.json",
        excerpt=Excerpt(
            10, ("    def __call__(self, x):", "        self.count = self.count + 1.0", "        return x")
        ),
        timeline=Timeline(
            "Counter.count", (Point(0, 0.0, 0.0, "nnx.Variable", True), Point(1, 1.0, 1.0, "jax.Array", False))
        ),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def report(*findings: Finding, candidate: str = "solution.py", **changes: object) -> Report:
    """A report with these findings; statuses of other checks by `statuses={"id": ("blocked", by or reason)}`."""
    statuses: dict[str, tuple[str, str]] = changes.pop("statuses", {})  # type: ignore[assignment]
    found = {one.check for one in findings}
    results = []
    for check in CONTRACT.checks:
        status, why = statuses.get(check.id, ("violated" if check.id in found else "held", ""))
        counts = (200, 62) if status in ("violated", "waived") else (200, 0) if status == "held" else (0, 0)
        by = (why,) if status == "blocked" else ()
        reason = why if status in ("waived", "not applicable") else ""
        results.append(CheckResult(check.id, check.level, check.requirement, Status(status), *counts, by, reason))
    made = Report(
        candidate=candidate,
        contract="mutability",
        contract_version="1",
        settings=Settings(),
        versions=VERSIONS,
        cases=253,
        checks=tuple(results),
        findings=tuple(findings),
        seconds=10.4,
        source="work/solution.py",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


STEPS = Timeline(
    "state",
    (),
    (
        TimelineStep(1, "call", (StateChange("mean", "0.0 → 1.0", "0.0 → 1.0", True),)),
        TimelineStep(2, "remat", ()),
        TimelineStep(3, "jit", (StateChange("mean", "unchanged", "1.0 → 2.0", False),)),
    ),
)


def hostile() -> Report:
    """A report in which all that a candidate can write is hostile."""
    line = Line(f"../{HOSTILE}.py", 3, HOSTILE)
    texts = dict.fromkeys(("what", "expected", "observed", "cause", "remedy", "replay", "condition"), HOSTILE)
    excerpt = Excerpt(2, (HOSTILE, HOSTILE))
    timeline = Timeline(HOSTILE, (Point(0, 0.0, 0.0, HOSTILE, True), Point(1, 1.0, None, HOSTILE, False)))
    bad = finding(**texts, line=line, excerpt=excerpt, timeline=timeline)
    conditions = Conditions(2, (Unmet(line, HOSTILE, "true", HOSTILE),), 9, HOSTILE)
    return report(bad, candidate=f"{HOSTILE}.py", failure=HOSTILE, source=f"{HOSTILE}.py", conditions=conditions)
