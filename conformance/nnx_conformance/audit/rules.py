"""The rules that a contract must follow before an audit; they run nothing of its catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import suggestion
from nnx_reference.catalogue import Catalogue, Implementation


def broken_rules(contract: Contract, catalogue: Catalogue) -> tuple[str, ...]:
    """The rules that a contract breaks, one sentence each with the fix.

    Args:
        contract: the contract.
        catalogue: its catalogue, for all Flax versions.
    """
    return (*_ids(contract), *_examples(contract), *_names(contract, catalogue), *_mutants(contract, catalogue))


def _ids(contract: Contract) -> Iterator[str]:
    for check_id, count in Counter(check.id for check in contract.checks).items():
        if count > 1:
            yield f"{count} checks have the id {check_id!r}. Give each its own."
    for role, check_id in (("fallback", contract.fallback), ("history", contract.history)):
        if check_id not in contract.by_id:
            yield f"its {role}={check_id!r} is the id of no check. {suggestion(check_id, contract.by_id)}"


def _examples(contract: Contract) -> Iterator[str]:
    for check in contract.checks:
        for name, text in (("wrong", check.wrong), ("right", check.right)):
            if not text.strip():
                yield f"check {check.id!r} has no {name} example. Give it `{name}=...`, a few lines of code."


def _names(contract: Contract, catalogue: Catalogue) -> Iterator[str]:
    for each in catalogue.mutants:
        if not each.catches:
            yield f"mutant {each.name!r} names no check that catches it. Write `CATCHES = (...)` in it."
        yield from _unknown(contract, each, "CATCHES", each.catches)
    for each in catalogue.rights:
        if each.catches:
            yield f"right {each.name!r} names checks that catch it. Move it to `mutants/`, or write ADVICE for CATCHES."
        yield from _unknown(contract, each, "ADVICE", each.advice)
        for check_id in each.advice:
            if check_id in contract.by_id and contract.by_id[check_id].level == "MUST":
                yield f"right {each.name!r} excuses {check_id!r}, a MUST check. A right one keeps them all: fix it."
    for name, count in Counter(each.name for each in (*catalogue.rights, *catalogue.mutants)).items():
        if count > 1:
            yield f"{name!r} is the name of a right implementation and of a mutant. Give each its own."


def _unknown(contract: Contract, each: Implementation, where: str, ids: tuple[str, ...]) -> Iterator[str]:
    for check_id in ids:
        if check_id not in contract.by_id:
            fix = suggestion(check_id, contract.by_id)
            yield f"{each.name!r} names the check {check_id!r} in {where}, and there is none. {fix}"


def _mutants(contract: Contract, catalogue: Catalogue) -> Iterator[str]:
    for check in contract.checks:
        own = [mutant for mutant in catalogue.mutants if check.id in mutant.catches]
        if not own:
            yield f"check {check.id!r} has no mutant that it catches. Add one that names it in CATCHES to `mutants/`."


def without_meaning(contract: Contract, catalogue: Catalogue, flax: str) -> tuple[str, ...]:
    """The checks without a mutant that applies to this Flax and the installed packages."""
    here = (mutant for mutant in catalogue.mutants if mutant.applies_to(flax) and not mutant.missing())
    caught = {check_id for mutant in here for check_id in mutant.catches}
    return tuple(check.id for check in contract.checks if check.id not in caught)
