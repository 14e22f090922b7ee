"""A contract that breaks its own rules is refused before anything runs, with each reason and its fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance import Misuse
from nnx_conformance.audit.catalogue import catalogue, equivalents
from nnx_conformance.audit.rules import broken_rules, without_meaning
from nnx_conformance.cli.group import cli
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Check, Contract
from nnx_reference.catalogue import Catalogue

MUTABILITY = contracts.get("mutability")
FOUND = catalogue(MUTABILITY)


@pytest.mark.parametrize("name", ["mutability", "split-merge", "lifted", "running-mean", "module-laws"])
def test_the_contracts_of_the_kit_keep_them(name: str) -> None:
    contract = contracts.get(name)

    assert broken_rules(contract, catalogue(contract)) == ()


def checks(change: Callable[[Check], Check]) -> Contract:
    """The contract with its first check changed."""
    return dataclasses.replace(MUTABILITY, checks=(change(MUTABILITY.checks[0]), *MUTABILITY.checks[1:]))


def mutant(**changes: Any) -> Catalogue:
    return dataclasses.replace(FOUND, mutants=(dataclasses.replace(FOUND.mutants[0], **changes), *FOUND.mutants[1:]))


def right(**changes: Any) -> Catalogue:
    return dataclasses.replace(FOUND, rights=(dataclasses.replace(FOUND.rights[0], **changes), *FOUND.rights[1:]))


RULES: dict[str, tuple[Contract, Catalogue, str]] = {
    "no wrong example": (
        checks(lambda check: dataclasses.replace(check, wrong=" ")),
        FOUND,
        "check 'returns-pair' has no wrong example. Give it `wrong=...`, a few lines of code.",
    ),
    "no right example": (
        checks(lambda check: dataclasses.replace(check, right="")),
        FOUND,
        "check 'returns-pair' has no right example. Give it `right=...`, a few lines of code.",
    ),
    "a check without a mutant": (
        MUTABILITY,
        Catalogue(FOUND.rights, tuple(one for one in FOUND.mutants if "quiet" not in one.catches)),
        "check 'quiet' has no mutant that it catches. Add one that names it in CATCHES to `mutants/`.",
    ),
    "a mutant without a check": (
        MUTABILITY,
        mutant(catches=()),
        "mutant 'adds_a_batch_axis' names no check that catches it. Write `CATCHES = (...)` in it.",
    ),
    "a check that is not there": (
        MUTABILITY,
        mutant(catches=("returns-pairs",)),
        "'adds_a_batch_axis' names the check 'returns-pairs' in CATCHES, and there is none. "
        "Did you mean 'returns-pair'?",
    ),
    "advice that is not there": (
        MUTABILITY,
        right(advice=("quit",)),
        "'adds_at_an_index' names the check 'quit' in ADVICE, and there is none. Did you mean 'quiet'?",
    ),
    "advice that is none": (
        MUTABILITY,
        right(advice=("wrapper-kept",)),
        "right 'adds_at_an_index' excuses 'wrapper-kept', a MUST check. A right one keeps them all: fix it.",
    ),
    "a right one that is wrong": (
        MUTABILITY,
        right(catches=("quiet",)),
        "right 'adds_at_an_index' names checks that catch it. Move it to `mutants/`, or write ADVICE for CATCHES.",
    ),
    "one name twice": (
        MUTABILITY,
        right(name="adds_a_batch_axis"),
        "'adds_a_batch_axis' is the name of a right implementation and of a mutant. Give each its own.",
    ),
    "a role of no check": (
        dataclasses.replace(MUTABILITY, history="fresh-state"),
        FOUND,
        "its history='fresh-state' is the id of no check. Did you mean 'fresh-state-per-run'?",
    ),
}


@pytest.mark.parametrize(("contract", "found", "told"), RULES.values(), ids=list(RULES))
def test_a_broken_rule_is_told_with_its_fix(contract: Contract, found: Catalogue, told: str) -> None:
    assert told in broken_rules(contract, found)


def test_a_catalogue_whose_mutants_are_not_installed_is_refused_with_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped" / "exercise" / "right").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(Misuse) as caught:
        catalogue(dataclasses.replace(MUTABILITY, catalogue="shipped.exercise"))

    assert str(caught.value) == (
        "The mutants of contract 'mutability' are not installed: wheels leave them out. "
        "Run `pip install -e '.[audit]'` in a checkout or an unpacked sdist, and audit there."
    )


def test_mutants_of_another_flax_leave_a_check_without_meaning_and_break_no_rule() -> None:
    assert "current-access" in without_meaning(MUTABILITY, FOUND, "0.8.5")
    assert without_meaning(MUTABILITY, FOUND, "0.12.8") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cast-1 = ''", "Expected the reason why the mutant is right but got cast-1='' (type=str) in "),
        ("cast-1 = 3", "Expected the reason why the mutant is right but got cast-1=3 (type=int) in "),
        ("cast-1", "Expected TOML in "),
    ],
)
def test_a_record_without_a_reason_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "equivalent.toml").write_text(text)

    with pytest.raises(Misuse) as caught:
        equivalents(tmp_path)

    assert str(caught.value).startswith(told)


def test_records_are_read_and_need_not_be_there(tmp_path: Path) -> None:
    assert equivalents(tmp_path) == {}
    (tmp_path / "equivalent.toml").write_text('cast-1 = "any dtype will do"')
    assert equivalents(tmp_path) == {"cast-1": "any dtype will do"}


def refused(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    with pytest.raises(SystemExit) as left:
        cli(["audit", *given], prog_name="nnx-conformance")
    assert left.value.code == 2
    return capsys.readouterr().err.removeprefix("nnx-conformance: ").strip()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            ("mutabilty",),
            "Expected the name of an installed contract but got contract='mutabilty' (type=str). "
            "Did you mean 'mutability'?",
        ),
        (
            ("mutability", "--format", "htlm"),
            "Expected a known format but got --format='htlm' (type=str). Did you mean 'html'?",
        ),
        (
            ("mutability", "--seeds", "0"),
            "Expected a whole number >= 1 and <= 1000 but got --seeds=0 (type=int). Leave --seeds out for its default.",
        ),
        (
            ("mutability", "--by-hand", "--only", "looses_wrapper_in_the_loop"),
            "Expected the name of an implementation, or a glob of names but got --only='looses_wrapper_in_the_loop' "
            "(type=str). Did you mean 'loses_wrapper_in_the_loop'?",
        ),
    ],
)
def test_misuse_is_told_with_its_fix(capsys: Any, given: tuple[str, ...], told: str) -> None:
    assert refused(capsys, *given) == told


def test_every_broken_rule_is_told_at_once(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = dataclasses.replace(checks(lambda check: dataclasses.replace(check, wrong="")), history="fresh-state")
    monkeypatch.setattr(contracts, "get", lambda _: broken)

    told = refused(capsys, "mutability")

    assert told.splitlines()[0] == "Contract 'mutability' is refused, as it breaks its own rules:"
    assert len(told.splitlines()) == 3


def test_a_contract_without_a_catalogue_is_refused(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "get", lambda _: dataclasses.replace(MUTABILITY, catalogue=""))

    assert refused(capsys, "mutability").startswith("Expected a contract with a catalogue but got catalogue=''")
