"""How surely the cases that a contract draws meet a rare condition: drawn many times, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnx_conformance import engine
from nnx_conformance.auditing.conditions import Condition, Family, holds
from nnx_conformance.auditing.interval import Interval, interval
from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, Contract
from nnx_conformance.literals import literals


@dataclass(frozen=True)
class Reach:
    """One rare condition, over many drawings of the default budget.

    Attributes:
        name, family, test: the condition.
        share: of all drawn cases, those on which it holds.
        met: in how many drawings it held on some case.
        led: whether it holds on a case to which the numbers in the source of its mutant lead.
    """

    name: str
    family: Family
    test: str
    share: float
    met: Interval
    led: bool


def core_cases(contract: Contract, max_examples: int, seed: int) -> Iterator[Case]:
    """What `check` draws of the core domain."""
    found: list[Case] = []
    for domain in contract.domains:
        if domain.name == CORE:
            for part in domain.parts(seed):
                engine.draw(part.cases, part.count(max_examples), seed, found.append)
    yield from found


def reaches(contract: Contract, conditions: Sequence[Condition], max_examples: int, drawings: int) -> tuple[Reach, ...]:
    """How surely each condition is met, the least sure first."""
    tests = [condition.compiled() for condition in conditions]
    met: Counter[int] = Counter()
    held: Counter[int] = Counter()
    cases = 0
    for seed in range(drawings):
        drawn = list(core_cases(contract, max_examples, seed))
        cases += len(drawn)
        for at, test in enumerate(tests):
            count = sum(holds(test, case) for case in drawn)
            held[at] += count
            met[at] += count > 0
    found = [
        Reach(one.name, one.family, one.test, held[at] / cases, interval(met[at], drawings), led(contract, one))
        for at, one in enumerate(conditions)
    ]
    return tuple(sorted(found, key=lambda reach: (reach.met.share, reach.share)))


def led(contract: Contract, condition: Condition) -> bool:
    """Whether the numbers that stand in a condition lead to a case on which it holds."""
    test, numbers = condition.compiled(), literals(condition.test.encode())
    every = (case for domain in contract.domains if domain.mined for case in domain.mined(numbers))
    return any(holds(test, case) for case in every)


def rarest(found: Sequence[Condition], cases: Sequence[Case], family: Family, most: int) -> list[Condition]:
    """The conditions of a family that the fewest of some cases meet."""
    times = {one.name: sum(holds(one.compiled(), case) for case in cases) for one in found if one.family == family}
    return sorted((one for one in found if one.name in times), key=lambda one: times[one.name])[:most]
