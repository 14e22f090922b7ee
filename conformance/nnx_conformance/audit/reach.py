"""How often the drawn cases of a contract meet a rare condition: draws many times, runs nothing."""

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
    """One rare condition over many drawings of the default budget.

    Attributes:
        name, family, test: the condition's.
        share: the proportion of all drawn cases that meet it.
        met: the proportion of drawings with a case that meets it.
    """

    name: str
    family: Family
    test: str
    share: float
    met: Interval


def core_cases(contract: Contract, max_examples: int, seed: int) -> Iterator[Case]:
    """The cases of the core domain that `check` draws."""
    drawn: list[Case] = []
    for domain in contract.domains:
        if domain.name == CORE:
            for part in domain.parts(seed):
                engine.draw(part.cases, part.count(max_examples), seed, drawn.append)
    yield from drawn


def reaches(
    contract: Contract, conditions: Sequence[RareCondition], max_examples: int, drawings: int
) -> tuple[ConditionReach, ...]:
    """The reach of each condition, the least reached first."""
    tests = [condition.compiled() for condition in conditions]
    reached: Counter[int] = Counter()
    holding: Counter[int] = Counter()
    cases = 0
    for seed in range(drawings):
        drawn = list(core_cases(contract, max_examples, seed))
        cases += len(drawn)
        for index, test in enumerate(tests):
            count = sum(holds(test, case) for case in drawn)
            holding[index] += count
            reached[index] += count > 0
    rows = [
        ConditionReach(each.name, each.family, each.test, holding[index] / cases, interval(reached[index], drawings))
        for index, each in enumerate(conditions)
    ]
    return tuple(sorted(rows, key=lambda reach: (reach.met.share, reach.share)))


def rarest(
    conditions: Sequence[RareCondition], cases: Sequence[Case], family: Family, most: int
) -> list[RareCondition]:
    """The `most` conditions of a family that the fewest of these cases meet."""
    times = {
        each.name: sum(holds(each.compiled(), case) for case in cases) for each in conditions if each.family == family
    }
    return sorted((each for each in conditions if each.name in times), key=lambda each: times[each.name])[:most]
