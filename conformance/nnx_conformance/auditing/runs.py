"""Running an audit: every implementation under every seed, in processes as `grade` makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nnx_conformance.auditing.row import Row, row
from nnx_conformance.auditing.subject import Subject
from nnx_conformance.contract import Contract
from nnx_conformance.grading import local, run
from nnx_conformance.grading.order import Order
from nnx_conformance.grading.outcome import Outcome
from nnx_conformance.grading.work import Work
from nnx_conformance.isolation.jail import Jail
from nnx_conformance.process import Limits
from nnx_conformance.report import Settings

#: Those of `check`: on a busy machine, shorter ones took slow right implementations for wrong.
LIMITS = Limits()
#: Told how many of how many runs are done.
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """How an audit judges.

    Attributes:
        seeds: one run of everything for each.
        max_examples: cases of the core domain in a run.
        jobs: how many are judged at a time.
    """

    seeds: tuple[int, ...]
    max_examples: int
    jobs: int


def rows(contract: Contract, subjects: Sequence[Subject], plan: Plan, told: Told) -> tuple[Row, ...]:
    """The row of every subject, in their order; the first of them is the reference.

    Raises:
        KitError: if the contract's own right candidate does not conform here.
    """
    found: dict[str, list[Outcome]] = {subject.name: [] for subject in subjects}
    for number, outcome in enumerate(_outcomes(contract, subjects, plan), 1):
        found[outcome.key].append(outcome)
        told(number, len(subjects) * len(plan.seeds))
    excused = frozenset(row(subjects[0], found[subjects[0].name]).by)
    return tuple(row(subject, found[subject.name], excused) for subject in subjects)


def _outcomes(contract: Contract, subjects: Sequence[Subject], plan: Plan) -> Iterator[Outcome]:
    works = [Work(one.name, one.name, one.source, one.judged_by) for one in subjects]
    jail = run.settled(Jail(reads="libraries", cpu_seconds=int(LIMITS.run_seconds) * run.cores() + 1))
    for seed in plan.seeds:
        settings = Settings(plan.max_examples, seed, shrink=False)
        order = Order(contract.name, contract.version, settings, LIMITS, jail)
        with run.compilations(order) as cache:
            yield from local.run(works, replace(order, cache=cache), plan.jobs)
