"""Runs an audit: judges every specimen under every seed, in processes as `grade` does."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from platform import python_version

from nnx_conformance.audit.audit import Audit, FirstTier, audited_checks, smallest
from nnx_conformance.audit.catalogue import ReferenceSource, catalogue, equivalents, folder, reference
from nnx_conformance.audit.conditions import Family, RareCondition, conditions
from nnx_conformance.audit.kill_matrix import KillRow, kill_row
from nnx_conformance.audit.mutators.rare import rare
from nnx_conformance.audit.reach import core_cases, rarest, reaches
from nnx_conformance.audit.rules import broken_rules, without_meaning
from nnx_conformance.audit.specimens import Specimen, absent, by_hand, named, one_for_each_check
from nnx_conformance.audit.tier import catches, first_tier
from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import SHOULD, Contract
from nnx_conformance.core.errors import KitError, Misuse, expected
from nnx_conformance.core.report import Settings
from nnx_conformance.grading import local
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.run import CountProgress, compilations, settled
from nnx_conformance.grading.source import Listed
from nnx_conformance.grading.tasks import GradingPlan, Task
from nnx_conformance.judging.check import judge_target
from nnx_conformance.judging.tier import DrawnAt
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail

#: How many rare conditions of each family become mutants: those that the fewest cases meet, as the hardest to catch.
JUDGED: dict[Family, int] = {"boundary": 16, "pair": 8, "literal": 12}
INSTALL = "pip install 'nnx-conformance[audit]'"
#: The limits of `check`: on a busy machine, shorter ones accused slow right implementations.
LIMITS = Limits()


@dataclass(frozen=True)
class AuditPlan:
    """The options of an audit.

    Attributes:
        seeds: each specimen is judged once per seed.
        max_examples: the number of cases of the core domain in a run.
        jobs: the number of specimens judged in parallel.
        only: globs of the names to judge; all if empty.
        quick: judges one hand-written mutant for each check.
        by_hand: generates no mutants.
        drawings: how many times to draw the default budget to measure the reach of rare conditions; 0 to skip that.
        tier: whether to find the cases that catch most.
    """

    seeds: tuple[int, ...]
    max_examples: int
    jobs: int
    only: tuple[str, ...] = ()
    quick: bool = False
    by_hand: bool = False
    drawings: int = 0
    tier: bool = False

    @property
    def makes(self) -> bool:
        """Whether it generates mutants."""
        return not (self.quick or self.by_hand)

    @property
    def partial(self) -> str:
        """What it leaves out, as text; empty for nothing."""
        parts = (f"only {', '.join(self.only)}" if self.only else "", "quick" if self.quick else "")
        return "; ".join(filter(None, (*parts, "hand-written only" if self.by_hand and not self.quick else "")))


def run(name: str, plan: AuditPlan, progress: CountProgress) -> Audit:
    """The audit of a contract.

    Raises:
        Misuse: if there is no such contract, its mutants are not installed, it breaks its rules, or LibCST is not
            installed.
        KitError: if the kit fails.
    """
    started = time.monotonic()
    contract = contracts.get(name)
    flax = version("flax")
    implementations = catalogue(contract)
    if broken := broken_rules(contract, implementations):
        raise Misuse("\n  ".join((f"Contract {name!r} is refused, as it breaks its own rules:", *broken)))
    drawn = list(core_cases(contract, plan.max_examples, 0)) if plan.drawings or plan.makes else []
    rare_conditions = conditions(drawn)
    specimens = _specimens(contract, flax, plan, rare_conditions, drawn)
    about = (contract.name, contract.version, flax, version("jax"), python_version(), plan.seeds, plan.max_examples)
    try:
        rows, caught = _rows(contract, specimens, plan, progress)
    except KitError as error:
        return Audit(*about, refused=_refused(contract, plan, error))
    silent = without_meaning(contract, implementations, flax)
    levels = {check.id: check.level for check in contract.checks}
    return Audit(
        *about,
        checks=audited_checks(levels, rows, silent),
        rows=rows,
        reaches=reaches(contract, rare_conditions, plan.max_examples, plan.drawings) if plan.drawings else (),
        narrow=plan.quick,
        partial=plan.partial,
        absent=absent(implementations, flax),
        seconds=time.monotonic() - started,
        smallest=smallest(rows),
        first_tier=_first_tier(contract, caught) if plan.tier else None,
    )


def _first_tier(contract: Contract, caught: list[frozenset[DrawnAt]]) -> FirstTier:
    tier = first_tier(caught, [domain.name for domain in contract.domains])
    return FirstTier(tier, catches(tier, caught), sum(map(bool, caught)))


def _specimens(
    contract: Contract, flax: str, plan: AuditPlan, rare_conditions: Sequence[RareCondition], drawn: Sequence[Case]
) -> list[Specimen]:
    """The specimens to judge; the first is the reference."""
    own = reference(contract)
    advice = tuple(check.id for check in contract.checks if check.level == SHOULD)  # may flag it: it still conforms
    control = Specimen("reference", "right", "the contract's own right candidate", own.source.encode(), advice=advice)
    others = list(by_hand(catalogue(contract), flax))
    if plan.quick:
        others = one_for_each_check(others)
    elif plan.makes:
        recorded = equivalents(folder(contract))
        rarest_ones = [each for family, most in JUDGED.items() for each in rarest(rare_conditions, drawn, family, most)]
        mutants = [*_by_operators(own), *rare(own.source, contract.entry, contract.parameters, rarest_ones)]
        for name in recorded:
            if name not in {specimen.name for specimen in mutants}:
                fix = "Remove the line, or correct the name: they change with the reference."
                raise expected("the name of a mutant that is made", "equivalent", name, fix)
        others += [replace(specimen, equivalent=recorded.get(specimen.name, "")) for specimen in mutants]
    return [control, *(named(others, plan.only) if plan.only else others)]


def _by_operators(own: ReferenceSource) -> Iterator[Specimen]:
    try:
        from nnx_conformance.audit.mutators.syntactic import syntactic
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("libcst"):
            raise
        fix = f"Install it: {INSTALL}. Or judge only the hand-written ones, with --by-hand."
        raise Misuse(f"Mutants are made with LibCST, which is not installed. {fix}") from error
    yield from syntactic(own.source, own.entry)


def _rows(
    contract: Contract, specimens: Sequence[Specimen], plan: AuditPlan, progress: CountProgress
) -> tuple[tuple[KillRow, ...], list[frozenset[DrawnAt]]]:
    """The row of each specimen in order; and for each run of a mutant, the cases that violate a MUST check.

    Raises:
        KitError: if the contract's own right candidate does not conform here.
    """
    grades: dict[str, list[Grade]] = {specimen.name: [] for specimen in specimens}
    with closing(_grades(contract, specimens, plan)) as judged:
        for number, grade in enumerate(judged, 1):
            grades[grade.key].append(grade)
            progress(number, len(specimens) * len(plan.seeds))
    excused = frozenset(kill_row(specimens[0], grades[specimens[0].name]).by)
    rows = tuple(kill_row(specimen, grades[specimen.name], excused) for specimen in specimens)
    wrong = [row.name for row in rows if row.wrong and not row.dead]
    return rows, [frozenset(grade.places) for name in wrong for grade in grades[name]]


def _grades(contract: Contract, specimens: Sequence[Specimen], plan: AuditPlan) -> Generator[Grade]:
    tasks = [Task(specimen.name, specimen.name, specimen.source, specimen.judged_by) for specimen in specimens]
    jail = settled(Jail(reads="libraries"))
    for seed in plan.seeds:
        settings = Settings(plan.max_examples, seed, shrink=False)
        grading = GradingPlan(contract.name, contract.version, settings, LIMITS, jail, places=plan.tier)
        with compilations(grading) as cache:
            yield from local.run(Listed(tasks), replace(grading, cache=cache), plan.jobs)


def _refused(contract: Contract, plan: AuditPlan, error: KitError) -> tuple[str, ...]:
    """Why the contract accuses its own right candidate; raises the error if it does not."""
    for seed in plan.seeds:
        report = judge_target(contract.control, contract.name, Settings(plan.max_examples, seed, shrink=False), LIMITS)
        if report.verdict != "conforms":
            why = "; ".join(f"{finding.check}: {finding.what}" for finding in report.findings) or report.failure
            return (f"its oracle and its reference {contract.control!r} disagree under seed {seed}: {why}",)
    raise error
