"""How surely the cases that a contract draws meet a rare condition: drawn many times, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnx_conformance.audit.conditions import Family, RareCondition, holds
from nnx_conformance.audit.interval import Interval, interval
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, Contract
from nnx_conformance.judging import engine


@dataclass(frozen=True)
class ConditionReach:
    """One rare condition, over many drawings of the default budget.

    Attributes:
        name, family, test: the condition.
        share: of all drawn cases, those on which it holds.
        met: in how many drawings it held on some case.
    """

    name: str
    family: Family
    test: str
    share: float
    met: Interval


def core_cases(contract: Contract, max_examples: int, seed: int) -> Iterator[Case]:
    """What `check` draws of the core domain."""
    drawn: list[Case] = []
    for domain in contract.domains:
        if domain.name == CORE:
            for part in domain.parts(seed):
                engine.draw(part.cases, part.count(max_examples), seed, drawn.append)
    yield from drawn


def reaches(
    contract: Contract, conditions: Sequence[RareCondition], max_examples: int, drawings: int
) -> tuple[ConditionReach, ...]:
    """How surely each condition is drawn, the least sure first."""
    tests = [condition.compiled() for condition in conditions]
    reached: Counter[int] = Counter()
    holding: Counter[int] = Counter()
    cases = 0
    for seed in range(drawings):
        drawn = list(core_cases(contract, max_examples, seed))
        cases += len(drawn)
        for at, test in enumerate(tests):
            count = sum(holds(test, case) for case in drawn)
            holding[at] += count
            reached[at] += count > 0
    rows = [
        ConditionReach(each.name, each.family, each.test, holding[at] / cases, interval(reached[at], drawings))
        for at, each in enumerate(conditions)
    ]
    return tuple(sorted(rows, key=lambda reach: (reach.met.share, reach.share)))


def rarest(
    conditions: Sequence[RareCondition], cases: Sequence[Case], family: Family, most: int
) -> list[RareCondition]:
    """The conditions of a family that the fewest of some cases meet."""
    times = {
        each.name: sum(holds(each.compiled(), case) for case in cases) for each in conditions if each.family == family
    }
    return sorted((each for each in conditions if each.name in times), key=lambda each: times[each.name])[:most]
