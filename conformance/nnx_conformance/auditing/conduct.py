"""An audit from end to end: what is judged, the runs, and what follows from them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from platform import python_version

from nnx_conformance import contract as contracts
from nnx_conformance.auditing.audit import Audit, audited_checks, smallest
from nnx_conformance.auditing.conditions import Condition, Family, conditions
from nnx_conformance.auditing.equivalents import equivalents
from nnx_conformance.auditing.making.rare import rare
from nnx_conformance.auditing.power import core_cases, rarest, reaches
from nnx_conformance.auditing.reference import Reference, reference
from nnx_conformance.auditing.rules import broken_rules, without_meaning
from nnx_conformance.auditing.runs import LIMITS, Plan, Told, rows
from nnx_conformance.auditing.selection import absent, by_hand, named, one_for_each_check
from nnx_conformance.auditing.subject import Subject
from nnx_conformance.case import Case
from nnx_conformance.catalogue import catalogue, folder
from nnx_conformance.checking import judge_target
from nnx_conformance.contract import SHOULD, Contract
from nnx_conformance.errors import KitError, Misuse, expected
from nnx_conformance.report import Report, Settings

#: Of the rare conditions, those that the fewest cases meet become mutants: what many meet, the others show as well.
JUDGED: dict[Family, int] = {"boundary": 16, "pair": 8, "literal": 12}
INSTALL = "pip install 'nnx-conformance[audit]'"


@dataclass(frozen=True)
class Scope:
    """What of the contract is audited.

    Attributes:
        only: globs of the names that are judged; all if empty.
        quick: one mutant for each check, hand-written ones only.
        by_hand: no mutants are made.
        drawings: how often the default budget is drawn to see how surely rare conditions are met; 0 for not.
    """

    only: tuple[str, ...] = ()
    quick: bool = False
    by_hand: bool = False
    drawings: int = 0

    @property
    def makes(self) -> bool:
        """Whether mutants are made."""
        return not (self.quick or self.by_hand)

    @property
    def partial(self) -> str:
        """What was left out, in words; empty if nothing was."""
        parts = (f"only {', '.join(self.only)}" if self.only else "", "quick" if self.quick else "")
        return "; ".join(filter(None, (*parts, "hand-written only" if self.by_hand and not self.quick else "")))


def audit(name: str, plan: Plan, scope: Scope, told: Told) -> Audit:
    """Audit a contract.

    Raises:
        Misuse: if there is no such contract, it breaks the rules of a contract, or what makes mutants is not installed.
        KitError: if the kit fails.
    """
    started = time.monotonic()
    contract = contracts.get(name)
    flax = version("flax")
    found = catalogue(contract)
    if broken := broken_rules(contract, found):
        raise Misuse("\n  ".join((f"Contract {name!r} is refused, as it breaks its own rules:", *broken)))
    drawn = list(core_cases(contract, plan.max_examples, 0)) if scope.drawings or scope.makes else []
    every = conditions(drawn)
    subjects = _subjects(contract, flax, scope, every, drawn)
    about = (contract.name, contract.version, flax, version("jax"), python_version(), plan.seeds, plan.max_examples)
    try:
        judged = rows(contract, subjects, plan, told)
    except KitError as error:
        return Audit(*about, refused=_refused(contract, plan, error))
    silent = without_meaning(contract, found, flax)
    levels = {check.id: check.level for check in contract.checks}
    return Audit(
        *about,
        checks=audited_checks(levels, judged, silent),
        rows=judged,
        reaches=reaches(contract, every, plan.max_examples, scope.drawings) if scope.drawings else (),
        narrow=scope.quick,
        partial=scope.partial,
        absent=absent(found, flax),
        seconds=time.monotonic() - started,
        smallest=smallest(judged),
    )


def _subjects(
    contract: Contract, flax: str, scope: Scope, every: Sequence[Condition], drawn: Sequence[Case]
) -> list[Subject]:
    own = reference(contract)
    advice = tuple(check.id for check in contract.checks if check.level == SHOULD)  # what it may flag: it conforms
    told = "the contract's own right candidate"
    control = Subject("reference", "right", told, own.source.encode(), advice=advice)
    found = [control, *by_hand(catalogue(contract), flax)]
    if scope.quick:
        found = [control, *one_for_each_check(found[1:])]
    elif scope.makes:
        recorded = equivalents(folder(contract))
        rare_ones = [one for family, most in JUDGED.items() for one in rarest(every, drawn, family, most)]
        made = [*_made(own), *rare(own.source, contract.entry, contract.parameters, rare_ones)]
        _all_known(recorded, made)
        found += [replace(one, equivalent=recorded.get(one.name, "")) for one in made]
    return [control, *named(found[1:], scope.only)] if scope.only else found


def _made(own: Reference) -> Iterator[Subject]:
    try:
        from nnx_conformance.auditing.making.syntactic import syntactic
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("libcst"):
            raise
        mend = f"Install it: {INSTALL}. Or judge the hand-written ones alone, with --by-hand."
        raise Misuse(f"Mutants are made with LibCST, which is not installed. {mend}") from error
    yield from syntactic(own.source, own.entry)


def _all_known(recorded: dict[str, str], made: Sequence[Subject]) -> None:
    for name in recorded:
        if name not in {one.name for one in made}:
            mend = "Remove the line, or correct the name: they change with the reference."
            raise expected("the name of a mutant that is made", "equivalent", name, mend)


def _refused(contract: Contract, plan: Plan, error: KitError) -> tuple[str, ...]:
    """Why the contract's own right candidate is accused; raises the error if it is not."""
    for seed in plan.seeds:
        report = judge_target(contract.control, contract.name, Settings(plan.max_examples, seed, shrink=False), LIMITS)
        if report.verdict != "conforms":
            return (f"its oracle and its reference {contract.control!r} disagree under seed {seed}: {_said(report)}",)
    raise error


def _said(report: Report) -> str:
    return "; ".join(f"{finding.check}: {finding.what}" for finding in report.findings) or report.failure
