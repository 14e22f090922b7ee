"""`[tool.nnx-conformance.pins]`: a check newer than the pinned version of its contract decides nothing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Report, Settings, Status, Verdict
from nnx_conformance.project import checking, pins, settings
from nnx_conformance.project.checking import CheckOptions
from reports import finding, report

CANDIDATES = Path(__file__).parent / "candidates"
NEW = "wrapper-kept"


def second_version() -> Contract:
    """`mutability` with a check that version 2 has introduced."""
    whole = contracts.get("mutability")
    checks = tuple(dataclasses.replace(each, since="2") if each.id == NEW else each for each in whole.checks)
    return dataclasses.replace(whole, version="2", checks=checks)


@pytest.fixture
def version_2(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = second_version()
    monkeypatch.setattr(contracts, "get", lambda _: contract)


def violating() -> Report:
    return report(finding(NEW), statuses={"result-reads-state": ("blocked", NEW)})


@pytest.mark.usefixtures("version_2")
def test_a_newer_check_and_what_it_alone_blocks_decide_nothing() -> None:
    pinned = pins.excused(violating(), {"mutability": "1"})

    assert violating().verdict == Verdict.FAILS
    assert pinned.verdict == Verdict.CONFORMS
    assert pinned.result(NEW).status == pinned.result("result-reads-state").status == Status.WAIVED
    assert pinned.result(NEW).reason == "newer than version 1 of mutability, which pyproject.toml pins"
    assert [use.finding.check for use in pinned.waivers if use.finding] == [NEW]


@pytest.mark.usefixtures("version_2")
@pytest.mark.parametrize("pinned", [{}, {"mutability": "2"}, {"lifted": "1"}])
def test_without_a_pin_or_once_it_is_raised_it_decides(pinned: dict[str, str]) -> None:
    assert pins.excused(violating(), pinned).verdict == Verdict.FAILS


@pytest.mark.usefixtures("version_2")
def test_an_older_check_decides_under_a_pin() -> None:
    older = report(finding("count-equals-calls"), statuses={"any-seed": ("blocked", "count-equals-calls")})
    assert pins.excused(older, {"mutability": "1"}).verdict == Verdict.FAILS
    strict = dataclasses.replace(violating(), settings=Settings(strict=True))
    assert pins.excused(strict, {"mutability": "1"}).verdict == Verdict.CONFORMS


@pytest.mark.medium
@pytest.mark.usefixtures("version_2")
def test_a_candidate_is_judged_under_the_pin_of_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (CANDIDATES / "loses_wrapper.py").read_text()
    (tmp_path / "solution.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text("[tool.nnx-conformance.pins]\nmutability = 1\n")
    few = Settings(max_examples=6, shrink=False)

    report = checking.judged(CheckOptions(settings.find(tmp_path), "mutability", few), "solution.py")

    assert report.result(NEW).status == Status.WAIVED
    assert NEW not in {each.check for each in report.findings}


def test_pins_that_mean_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    for text, message in (
        ("pins = 1", "Expected a table but got pins=1 (type=int). Write `[tool.nnx-conformance.pins]` above"),
        ("pins = {lifted = true}", "Expected a version but got pins.lifted=True (type=bool). Write `lifted = 1`."),
        ('pins = {lifted = "new"}', "Expected a version but got pins.lifted='new' (type=str). Write `lifted = 1`."),
    ):
        file.write_text(f"[tool.nnx-conformance]\n{text}\n")
        with pytest.raises(Misuse, match=re.escape(message)):
            settings.find(tmp_path)
    with pytest.raises(Misuse, match=re.escape("got pins='lfted' (type=str). Did you mean 'lifted'?")):
        pins.known({"lfted": "1"}, "mutability")
    message = "Expected a version of contract 'mutability' up to 1 but got pins.mutability='3' (type=str). Write "
    with pytest.raises(Misuse, match=re.escape(f"{message}`mutability = 1`, or update the contract.")):
        pins.known({"mutability": "3"}, "mutability")


def test_a_check_is_no_newer_than_its_contract() -> None:
    whole = contracts.get("mutability")
    newer = tuple(dataclasses.replace(each, since="2") for each in whole.checks)
    with pytest.raises(Misuse, match=r"Expected no check newer than its contract but got returns-pair\.since='2'"):
        dataclasses.replace(whole, checks=newer)
