"""The two tiers of `grade`: who breaks a MUST check on a few cases is done, all others are judged on every case."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import hostility
from nnx_conformance.audit.tier import FIRST, LEAST, MOST, catches, first_tier
from nnx_conformance.cli.group import cli
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Settings
from nnx_conformance.grading import first_tier as tiers
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.grader import Grader
from nnx_conformance.grading.tasks import Task
from nnx_conformance.judging.tier import DEFAULT, DrawnAt, Tier
from nnx_reference import exercises

GOOD = hostility.GOOD
LOST = GOOD.replace("write(self.count, read(self.count) + 1.0)", "self.count = read(self.count) + 1.0").replace(
    "read(model.count)", "model.count"
)
#: Hostile: right on as many cases as may be judged before all others, and wrong from then on.
LATE = (
    GOOD.replace(
        "    model = Counter",
        "    met.add((float(seed), x.tobytes(), float(n_calls)))\n    model = Counter",
    )
    .replace("read(model.count), last_x", "read(model.count) + (len(met) > 24), last_x")
    .replace("CURRENT =", "met = set()\nCURRENT =", 1)
)
#: Wrong on the first case of its process alone, which is no fault of the cases.
ONCE = GOOD.replace(
    "    return jnp.array([read(model.count)",
    "    met.append(seed)\n    return jnp.array([read(model.count) + (len(met) < 3)",
).replace("CURRENT =", "met = []\nCURRENT =", 1)


@pytest.fixture(scope="module")
def judges() -> Iterator[dict[bool, Grader]]:
    """One that judges in two tiers, and one that judges all cases of every candidate."""
    plan = dataclasses.replace(hostility.plan("process", run_seconds=120), settings=Settings(40, shrink=False))
    with (
        Grader(dataclasses.replace(plan, tier=DEFAULT)) as two_tiers,
        Grader(dataclasses.replace(plan, tier=None)) as complete,
    ):
        yield {False: two_tiers, True: complete}


def graded(judges: dict[bool, Grader], source: str, *, complete: bool = False) -> Grade:
    return judges[complete].grade(Task("key", "solution.py", source.encode()))


@pytest.mark.medium
def test_who_breaks_a_must_check_on_the_first_cases_is_judged_on_no_others(judges: dict[bool, Grader]) -> None:
    grade = graded(judges, LOST)
    assert grade.status == "does not conform"
    assert grade.report is not None
    assert grade.report.cases == 16
    assert grade.report.note == "judged on the first cases, which decide; `--complete` judges all"
    (finding, *_) = grade.report.findings
    assert (finding.check, finding.smallest) == ("wrapper-kept", False)
    assert finding.line is not None
    assert finding.line.source.strip() == "self.count = read(self.count) + 1.0"


@pytest.mark.medium
@pytest.mark.parametrize("source", [LATE, ONCE], ids=["late", "once"])
def test_who_is_wrong_by_history_does_not_conform_in_two_tiers_either(judges: dict[bool, Grader], source: str) -> None:
    assert graded(judges, source).status == "does not conform"


@pytest.mark.medium
def test_who_passes_the_first_cases_is_judged_on_all(judges: dict[bool, Grader]) -> None:
    grade, complete = graded(judges, GOOD), graded(judges, GOOD, complete=True)
    assert (grade.status, complete.status) == ("conforms", "conforms")
    assert grade.report is not None
    assert complete.report is not None
    assert (grade.report.cases, grade.report.note) == (complete.report.cases, "")
    assert [check.evaluated for check in grade.report.checks] == [check.evaluated for check in complete.report.checks]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(each.name for each in exercises.mutants())[::24])
def test_both_ways_come_to_the_same_verdict(judges: dict[bool, Grader], name: str) -> None:
    source = next(each for each in exercises.mutants() if each.name == name).path.read_text()
    assert {graded(judges, source, complete=complete).status for complete in (False, True)} == {"does not conform"}


def test_a_shrink_without_all_cases_is_refused() -> None:
    refused = CliRunner().invoke(cli, ["grade", "anywhere", "--shrink"])
    assert refused.exit_code == 2
    assert (
        "Expected --complete with --shrink but got --shrink=True (type=bool). Add --complete; or leave both out, and "
        "ask `results FILE --show ID --shrink` for the smallest of one." in refused.output
    )


def places(*positions: int) -> frozenset[DrawnAt]:
    return frozenset(DrawnAt("core", position) for position in positions)


def test_a_first_tier_catches_what_all_cases_catch_with_few() -> None:
    caught = [places(0, 1, 2), places(40), places(40, 7), places(9, 12), places(12), frozenset()]
    tier = first_tier(caught, ["core"])
    assert {0, 12, 40} <= set(tier.of("core"))
    assert catches(tier, caught) == 5


def test_a_first_tier_is_filled_up_with_what_catches_a_second_time() -> None:
    tier = first_tier([places(*range(100))], ["core"])
    assert tier.of("core") == tuple(range(LEAST))


def test_a_first_tier_has_an_end_though_more_cases_would_catch_more() -> None:
    caught = [places(position) for position in range(100)]
    tier = first_tier(caught, ["core"])
    assert catches(tier, caught) == MOST
    assert FIRST.position in tier.of("core")


def test_a_first_tier_is_what_its_file_says(tmp_path: Path) -> None:
    tier = Tier((("core", (0, 8)), ("empty-x", (1,))))
    (tmp_path / "tier.toml").write_text(tiers.text(tier, ["made so"]))
    assert tiers.read(tmp_path / "tier.toml", contracts.get("mutability")) == tier


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("core = [", "Expected TOML in {file} but it is none: "),
        (
            "cores = [0]",
            "Expected the positions of cases in a domain of contract 'mutability' but got cores=[0] (type=list) in "
            "{file}. Write it again: `nnx-conformance audit mutability --tier tier.toml`.",
        ),
        (
            "core = [-1]",
            "Expected the positions of cases in a domain of contract 'mutability' but got core=[-1] (type=list) in "
            "{file}. Write it again: `nnx-conformance audit mutability --tier tier.toml`.",
        ),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "tier.toml"
    file.write_text(content)
    with pytest.raises(Misuse) as caught:
        tiers.read(file, contracts.get("mutability"))
    assert str(caught.value).startswith(message.format(file=file))


@pytest.mark.parametrize("name", ["mutability", "split-merge", "lifted", "running-mean", "module-laws"])
def test_the_first_tier_of_a_contract_is_one(name: str) -> None:
    tier = tiers.first_tier(contracts.get(name))
    assert LEAST <= sum(len(positions) for _, positions in tier.positions) <= MOST
    assert FIRST.position in tier.of(FIRST.domain)


def test_a_tier_beside_a_quick_audit_is_refused(tmp_path: Path) -> None:
    refused = CliRunner().invoke(cli, ["audit", "mutability", "--quick", "--tier", str(tmp_path / "t.toml")])
    assert refused.exit_code == 2
    assert "Expected no --tier with --quick but got --tier=" in refused.output
    assert "Leave --quick out: it judges by a few of the checks." in refused.output
