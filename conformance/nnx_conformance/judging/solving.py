"""Solves for inputs that give a condition its other outcome, from the operands that a run compared.

The moves, in the order in which they are tried: put the other operand in, as each part of the case that it may be; move
each part by one and go where the slope of the operand says, and one beside; members of sets and tables; tuples part by
part. What is left is looked for among the numbers that were compared anywhere, and then one by one. Everything is
tried in the same order whenever the same is compared: the same seed leads to the same cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case
from nnx_conformance.core.search.components import Components, Real, Whole
from nnx_conformance.core.search.conditions import Comparison, Outcome, Site
from nnx_conformance.judging.moves import Handle, beside, guesses, handles, parts, placements, shapes
from nnx_conformance.judging.operands import distance, numbers, pairs, targets

#: Of the visits of a condition, so many are looked at.
VISITED = 4
#: How often a goal is taken up again from a case that came nearer, how often a slope is followed on, and how many runs
#: one goal may take.
RETURNS, FOLLOWED, RUNS = 6, 4, 100
#: How many of the numbers that were compared anywhere are put in for conditions that nothing else met.
POOL = 32
#: What compared the same in so many cases does not depend on the case.
FEW = 8
ORDERED = frozenset(("<", "<=", ">", ">="))
#: Of these, the outcome is rare that says that the operands differ not at all.
UNEQUAL = frozenset(("!=", "is not", "not in", "truth"))
WANTED = (Outcome.TRUE, Outcome.FALSE, Outcome.ALL_TRUE, Outcome.ALL_FALSE)
#: The sites of a run, in the order of the source; None where the run came to no end.
WatchCase = Callable[[Case], Sequence[Site] | None]
Goal = tuple[int, Outcome]


@dataclass(eq=False)
class PursuedCondition:
    """One condition over all runs so far.

    Attributes:
        met: its outcomes, and those that the given cases came to.
        near: by outcome, the distance of the case that came nearest to it, that case, and what it compared.
        reached: the run that came to it first, and how many did.
        values: a few of what it compared; whether that depends on the case shows in their number.
        parts: the parts of a case that one of its operands has been in every run.
    """

    site: Site
    met: Outcome = Outcome.NONE
    given: Outcome = Outcome.NONE
    reached: int = -1
    cases: int = 0
    near: dict[Outcome, tuple[tuple[float, float], Case, Comparison]] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    parts: set[str] | None = None

    @property
    def varies(self) -> bool:
        """Whether its operands may depend on the case."""
        return len(self.values) > 1 or self.cases < FEW


class CaseSearch:
    """A search over the runs of one candidate.

    Attributes:
        conditions: by number.
        led: the cases that met an outcome first, those that were given apart.
        runs: how many runs were made.
    """

    def __init__(self, components: Components, watch: WatchCase, budget: int) -> None:
        self.components = components
        self.conditions: dict[int, PursuedCondition] = {}
        self.led: list[Case] = []
        self.runs = 0
        self._watch = watch
        self._budget = budget
        self._tried: dict[str, Sequence[Site] | None] = {}
        self._until = 0

    def run(self, given: Sequence[Case]) -> None:
        """Look for cases with outcomes that the given ones lack."""
        self._run(self.components.base)
        for case in given:
            self._run(case, given=True)
        for case in shapes(self.components):
            if not self._goals():
                return
            self._run(case)
        self._solve()
        for source in (self._compared(), self._one_by_one()):
            for case in source:
                if self.runs >= self._budget or not any(self._is_open(goal) for goal in self._goals()):
                    break
                if self._run(case):
                    self._solve()

    def stop(self) -> None:
        """Make no more runs."""
        self._budget = 0

    def _solve(self) -> None:
        """Take up each goal, and again where a case came nearer to it, the condition that was reached last first."""
        returns: dict[Goal, int] = {}
        seen: dict[Goal, str] = {}
        while self.runs < self._budget:
            goals = [goal for goal in self._goals() if self._worth(goal, returns, seen)]
            if not goals:
                return
            goal = max(goals, key=lambda each: (self.conditions[each[0]].reached, -each[0], each[1] & Outcome.TRUE))
            returns[goal] = returns.get(goal, 0) + 1
            seen[goal] = self.conditions[goal[0]].near[goal[1]][1].key
            self._until = self.runs + RUNS
            for case in self._attempts(goal):
                self._run(case)
                if self._is_met(goal) or self.runs >= min(self._budget, self._until):
                    break
                if self.conditions[goal[0]].near[goal[1]][0][0] < self._start[0]:
                    break  # one part of it is met

    def _worth(self, goal: Goal, returns: dict[Goal, int], seen: dict[Goal, str]) -> bool:
        near = self.conditions[goal[0]].near.get(goal[1])
        return near is not None and returns.get(goal, 0) < RETURNS and seen.get(goal) != near[1].key

    def _goals(self) -> list[Goal]:
        """What was reached and not met: both outcomes, and of arrays all elements together."""
        return [
            (number, wanted)
            for number, condition in self.conditions.items()
            for wanted in WANTED
            if condition.met and not condition.met & wanted and condition.varies
        ]

    def _is_met(self, goal: Goal) -> bool:
        return bool(self.conditions[goal[0]].met & goal[1])

    def _is_open(self, goal: Goal) -> bool:
        """Whether a goal may be met by chance: an equality of what depends on the case, and is no part of it."""
        condition = self.conditions[goal[0]]
        rare = Outcome.FALSE if condition.site.operator in UNEQUAL else Outcome.TRUE
        chance = goal[1] is rare or (condition.site.operator == "truth" and goal[1] is Outcome.TRUE)
        return chance and condition.site.operator not in ORDERED and not condition.parts

    def _run(self, case: Case, given: bool = False) -> bool:
        """Watch one case, once; returns whether it met a new outcome."""
        if case.key in self._tried or (self.runs >= self._budget and not given):
            return False
        self.runs += 1
        sites = self._tried[case.key] = self._watch(case)
        if sites is None:
            if not given:
                self.led.append(case)
            return False
        new = False
        for number, site in enumerate(sites):
            condition = self.conditions.setdefault(number, PursuedCondition(site))
            outcome = Outcome(site.outcome & 15)
            new = new or bool(outcome & ~condition.met)
            condition.met |= outcome
            condition.given |= outcome if given else Outcome.NONE
            condition.cases += bool(site.visits)
            for visit in site.visits:
                self._note(condition, case, visit)
        if new and not given:
            self.led.append(case)
        return new

    def _note(self, condition: PursuedCondition, case: Case, visit: Comparison) -> None:
        condition.reached = condition.reached if condition.reached >= 0 else self.runs
        if len(condition.values) < 4:
            condition.values.add(f"{visit.left.value}{visit.right.value}{visit.outcome}")
        for wanted in WANTED:
            if not condition.met & wanted:
                far = distance(visit, wanted)
                if wanted not in condition.near or far < condition.near[wanted][0]:
                    condition.near[wanted] = far, case, visit
        sides = (*numbers(visit.left.value)[:1], *numbers(visit.right.value)[:1])
        here = {name for name, value in parts(self.components, case).items() if value in sides}
        condition.parts = here if condition.parts is None else condition.parts & here

    def _visits(self, number: int, case: Case) -> tuple[Comparison, ...]:
        sites = self._tried.get(case.key)
        return sites[number].visits if sites is not None and number < len(sites) else ()

    def _gap(self, goal: Goal, case: Case) -> float | None:
        """The signed distance of the operands in a run, of the pair that is nearest; None where nothing has one."""
        gaps = [pair[0] - pair[1] for visit in self._visits(goal[0], case) for pair in pairs(visit, goal[1])[:1]]
        return min(gaps, key=abs, default=None)

    def _attempts(self, goal: Goal) -> Iterator[Case]:
        far, base, visit = self.conditions[goal[0]].near[goal[1]]
        self._start = far
        ordered = self.conditions[goal[0]].site.operator in ORDERED
        visits = sorted(self._visits(goal[0], base), key=lambda each: distance(each, goal[1]))[:VISITED]
        for each in visits or [visit]:
            for target in targets(each, ordered):
                yield from placements(self.components, base, target)
        if pairs(visit, goal[1]):
            for handle in handles(self.components, base):
                yield from self._along(goal, base, handle)
            for left, right in pairs(visit, goal[1])[:2]:
                for end in (left, right):
                    yield from guesses(self.components, base, end)
            for least in self.components.least(base):  # two parts together: one at its least, along the others
                yield least
                for handle in handles(self.components, least):
                    if handle.whole:
                        yield from self._along(goal, least, handle)

    def _along(self, goal: Goal, base: Case, handle: Handle) -> Iterator[Case]:
        """Move one part of the case, and go where the slope of the operands says that they meet."""
        start = self._gap(goal, base)
        for step in handle.steps:
            moved = handle.set(handle.value + step)
            if start is None or moved is None:
                continue
            yield moved
            gap = self._gap(goal, moved)
            if gap is None or gap == start:
                continue
            at, other, there, here = handle.value, handle.value + step, start, gap
            for _ in range(FOLLOWED):
                meets = other - here * (other - at) / (here - there)
                tried = [case for value in beside(meets, handle.whole) if (case := handle.set(value)) is not None]
                yield from tried
                gap = self._gap(goal, tried[0]) if tried else None
                if gap is None or gap == here or abs(gap) > max(abs(here), abs(there)):
                    break
                at, there, other, here = other, here, round(meets) if handle.whole else meets, gap

    def _compared(self) -> Iterator[Case]:
        """The numbers that were compared anywhere, in every part of the base case."""
        pool: dict[float, None] = {}
        for condition in list(self.conditions.values()):
            for _, _, visit in condition.near.values():
                pool.update(dict.fromkeys(numbers(visit.left.value) + numbers(visit.right.value)))
        for number in list(pool)[:POOL]:
            for near in (number, number + 1, number - 1):
                yield from placements(self.components, self.components.base, near)

    def _one_by_one(self) -> Iterator[Case]:
        """Move all parts of the case together."""
        for count in range(1, self._budget):
            case = self.components.base
            for name, role in self.components.roles.items():
                value: Any
                if isinstance(role, Whole):
                    value = role.low + count % (role.high - role.low + 1)
                elif isinstance(role, Real):
                    value = role.low + (role.high - role.low) * (count * 0.618 % 1)
                else:
                    value = role.shaped(np.resize((1, -1, 2, 0, 0.5, -3), 1 + count % 7) * (count % 17 - 8) + count, 1)
                case = self.components.put(case, name, value) or case
            yield case
