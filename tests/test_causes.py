"""Causes before symptoms: one mistake is one root finding, and every output shows the rest as what follows from it."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import re
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

import flax
import jax.numpy as jnp
import pytest
from flax import nnx

import reports
from nnx_conformance import check_module
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Violation
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.causes import blame_history, block_on_edges, roots
from nnx_conformance.judging.check import judge_target
from nnx_conformance.judging.tally import Tally, tallies
from nnx_conformance.judging.verdict import Header
from nnx_conformance.judging.verdict import report as built
from nnx_conformance.process.limits import Limits
from nnx_conformance.project.waivers import Waiver, applied
from nnx_conformance.reports.formats import get

TODAY = datetime.date(2026, 1, 1)
MUTABILITY = contracts.get("mutability")


def violated(**because: tuple[str, ...]) -> dict[str, Tally]:
    """Tallies of mutability in which these checks (`_` for `-`) are violated because of those."""
    counted = tallies(MUTABILITY)
    for check, causes in because.items():
        counted[check.replace("_", "-")].add(
            Request(reports.SMALLEST, RunPlan(), 1), Violation(f"{check} broke", because=causes)
        )
    return counted


def findings(counted: dict[str, Tally]) -> list[tuple[str, str]]:
    report = built(Header("solution.py", MUTABILITY, Settings()), counted, 1)
    return [(finding.check, finding.because) for finding in report.findings]


def test_a_chain_of_causes_has_one_root_which_comes_first() -> None:
    counted = violated(
        returns_pair=("count-equals-calls",), count_equals_calls=("wrapper-kept",), wrapper_kept=(), quiet=()
    )
    assert findings(counted) == [
        ("wrapper-kept", ""),
        ("returns-pair", "wrapper-kept"),
        ("count-equals-calls", "wrapper-kept"),
        ("quiet", ""),
    ]


def test_advice_stands_under_what_decides_and_never_over_it() -> None:
    counted = violated(returns_pair=("quiet",), quiet=(), no_in_place_add=("returns-pair",))
    assert findings(counted) == [("returns-pair", ""), ("no-in-place-add", "returns-pair"), ("quiet", "")]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_checks_that_follow_from_each_other_lose_no_finding(size: int) -> None:
    circle = ["returns-pair", "count-equals-calls", "wrapper-kept"][:size]
    because = {check.replace("-", "_"): (circle[(at + 1) % size],) for at, check in enumerate(circle)}
    counted = violated(**because, output_unchanged=(circle[-1],))
    assert findings(counted) == [
        ("returns-pair", ""),
        *((check, "returns-pair") for check in circle[1:]),
        ("output-unchanged", "returns-pair"),
    ]
    assert set(roots(counted.values())) == {*circle, "output-unchanged"}


def test_an_edge_is_blocked_by_what_the_core_shows_already() -> None:
    counted = violated(wrapper_kept=(), many_calls=("wrapper-kept",), zero_calls=("returns-pair",))
    block_on_edges([tally for tally in counted.values() if tally.example], counted)
    assert counted["many-calls"].blocked == {"wrapper-kept": 1} and not counted["many-calls"].violated
    assert counted["zero-calls"].violated == 1


def test_what_does_not_show_again_is_blocked_by_the_history_check() -> None:
    counted = violated(wrapper_kept=())
    tally, history = counted["wrapper-kept"], counted["fresh-state-per-run"]
    assert tally.example is not None
    blame_history(history, tally, tally.example.request, tally.example)
    assert findings(counted) == [("fresh-state-per-run", "")]
    assert history.example is not None
    assert history.example.violation.what == "one and the same case kept and broke wrapper-kept: wrapper_kept broke"
    assert tally.blocked == {"fresh-state-per-run": 1}


def test_a_finding_whose_root_is_waived_is_a_root() -> None:
    root, other = reports.finding(), reports.finding("output-unchanged", because="wrapper-kept")
    waiver = Waiver("wrapper-kept", "*", "known")
    report = applied(reports.report(root, other), [waiver], TODAY, lambda _: True)
    assert [(finding.check, finding.because) for finding in report.findings] == [("output-unchanged", "")]


def test_timeline_and_script_are_made_for_the_finding_alone() -> None:
    made: list[str] = []

    def script(case: object, facts: object, check: str, *_: object) -> str:
        made.append(check)
        return f"# {check}"

    counted = violated(wrapper_kept=())
    tally = counted["wrapper-kept"]
    assert tally.example is not None
    tally.example = dataclasses.replace(tally.example, facts="facts")
    tally.check = dataclasses.replace(tally.check, claims=None)
    own = dataclasses.replace(MUTABILITY, script=script, timeline=lambda case, facts: None)
    for _ in range(5):
        tally.add(Request(reports.SMALLEST, RunPlan(), 1), Violation("again"), "facts", drawn=True)
    report = built(Header("solution.py", own, Settings()), counted, 1)
    assert made == ["wrapper-kept"]
    assert report.findings[0].script == "# wrapper-kept"


GROUP = reports.report(
    reports.finding(),
    reports.finding("output-unchanged", because="wrapper-kept", what="call 1 returned another array"),
    reports.finding("current-access", because="wrapper-kept", what="a warning"),
    reports.finding("quiet", what="it wrote"),
)


def text(form: str, report: Report = GROUP) -> str:
    file = io.StringIO()
    get(form).write([report], file)
    return file.getvalue()


def test_the_terminal_shows_two_roots() -> None:
    shown = text("terminal")
    assert re.findall(r"^(\S+)  (?:MUST|SHOULD)  violated", shown, re.MULTILINE) == ["wrapper-kept", "quiet"]
    assert "also breaks    output-unchanged (MUST): call 1 returned another array" in shown


def test_json_names_the_root_of_each() -> None:
    (report,) = json.loads(text("json"))["reports"]
    assert [(finding["check"], finding["because"]) for finding in report["findings"]] == [
        ("wrapper-kept", ""),
        ("output-unchanged", "wrapper-kept"),
        ("current-access", "wrapper-kept"),
        ("quiet", ""),
    ]


def test_github_gets_an_annotation_for_each_root() -> None:
    annotations = [line for line in text("github").splitlines() if line.startswith("::")]
    assert [re.search("title=([a-z-]+)", line)[1] for line in annotations] == ["wrapper-kept", "quiet"]  # type: ignore[index]
    assert "%0Aalso breaks output-unchanged (MUST): call 1 returned another array%0A" in annotations[0]


def test_sarif_has_a_result_for_each_root_with_related_locations() -> None:
    first, second = json.loads(text("sarif"))["runs"][0]["results"]
    assert (first["ruleId"], second["ruleId"]) == ("wrapper-kept", "quiet")
    assert first["properties"]["alsoBreaks"] == ["output-unchanged", "current-access"]
    related = first["relatedLocations"]
    assert related[0]["message"]["text"] == "also breaks output-unchanged (MUST): call 1 returned another array"
    assert related[0]["physicalLocation"]["region"]["startLine"] == 11
    assert "relatedLocations" not in second


def test_markdown_folds_the_others_into_the_root() -> None:
    shown = text("markdown")
    assert re.findall("<summary><b><code>([a-z-]+)", shown) == ["wrapper-kept", "quiet"]
    assert "- **also breaks** output-unchanged (MUST): call 1 returned another array" in shown


def test_html_folds_the_others_below_the_root() -> None:
    page = text("html")
    articles = re.findall(r'<article class="nnxc-finding [^"]*" id="c1-([a-z-]+)"', page)
    assert articles == ["wrapper-kept", "output-unchanged", "current-access", "quiet"]
    start, end = page.index('<details class="nnxc-follows">'), page.index('id="c1-quiet"')
    assert start < page.index('id="c1-output-unchanged"') < page.index('id="c1-current-access"') < end
    assert page.count('<details class="nnxc-follows">') == 1


def test_junit_keeps_each_test_case_and_names_its_root() -> None:
    cases = {case.get("name"): case for case in ET.fromstring(text("junit").encode()).iter("testcase")}
    failure = cases["output-unchanged"].find("failure")
    assert failure is not None and "follows from   wrapper-kept" in (failure.text or "")
    own = cases["wrapper-kept"].find("failure")
    assert own is not None and "follows from" not in (own.text or "")


CACHE = textwrap.dedent("""
    import jax.numpy as jnp
    from flax import nnx


    class KeyCache(nnx.Module):
        def __init__(self, rngs):
            self.proj = nnx.Linear(4, 4, rngs=rngs)
            self.cache = nnx.Cache(jnp.zeros((16, 4)))
            self.pos = 0

        def __call__(self, x):
            y = self.proj(x)
            self.cache[...] = self.cache[...].at[self.pos % 16].set(y[0])
            self.pos += 1
            return y + self.cache[...].sum(0)


    subject = {"make": KeyCache, "inputs": [jnp.ones((2, 4)) * 0.5, jnp.arange(8.0).reshape(2, 4)]}
""")


def heads(report: Report) -> list[str]:
    return [finding.check for finding in report.findings if finding.level == "MUST" and not finding.because]


class Box:
    def __init__(self) -> None:
        self.count = 0


class CountsInAnObject(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(4, 4, rngs=rngs)
        self.box = Box()

    def __call__(self, x: jnp.ndarray) -> jnp.ndarray:
        self.box.count += 1
        return self.linear(x) * self.box.count


class CountsInItsClass(nnx.Module):
    count = 0

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(4, 4, rngs=rngs)

    def __call__(self, x: jnp.ndarray) -> jnp.ndarray:
        CountsInItsClass.count += 1
        return self.linear(x) * CountsInItsClass.count


class CountsInAClosure(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(4, 4, rngs=rngs)
        count = 0

        def more() -> int:
            nonlocal count
            count += 1
            return count

        self.more = more

    def __call__(self, x: jnp.ndarray) -> jnp.ndarray:
        return self.linear(x) * self.more()


INPUTS = [jnp.full((2, 4), 0.5), jnp.arange(8.0).reshape(2, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("make", [CountsInAnObject, CountsInItsClass, CountsInAClosure])
def test_state_outside_the_variables_is_one_root(make: type[nnx.Module]) -> None:
    report = check_module({"make": make, "inputs": INPUTS}, max_examples=16, shrink=False)
    assert heads(report) == ["no-hidden-state"]
    assert report.findings[0].check == "no-hidden-state" and len(report.findings) > 1


@pytest.mark.slow
@pytest.mark.skipif(flax.__version__ < "0.10.7", reason="`[...]` on a Variable is of Flax 0.10.7")
def test_a_cache_whose_position_is_a_python_number_is_one_finding_in_every_output(tmp_path: Path) -> None:
    path = tmp_path / "cache.py"
    path.write_text(CACHE)
    report = judge_target(str(path), "module-laws", Settings(16, shrink=False), Limits(120, 900))
    assert heads(report) == ["no-hidden-state"] and len(report.findings) > 4

    assert text("github", report).count("::error") == 1
    (run,) = json.loads(text("sarif", report))["runs"]
    assert [result["ruleId"] for result in run["results"] if result["level"] == "error"] == ["no-hidden-state"]
    (first, *rest) = json.loads(text("json", report))["reports"][0]["findings"]
    assert first["check"] == "no-hidden-state" and {finding["because"] for finding in rest} <= {"", "no-hidden-state"}
