"""Solves for inputs that give a condition its other outcome, from the operands that a run compared.

The moves, in the order in which they are tried: put the other operand in, as each part of the case that it may be; move
each part by one and go where the slope of the operand says, and one beside; members of sets and tables; tuples part by
part. What is left is looked for among the numbers that were compared anywhere, and then one by one. Everything is
tried in the same order whenever the same is compared: the same seed leads to the same cases.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case
from nnx_conformance.core.search.components import Components, Real, Whole
from nnx_conformance.core.search.conditions import Comparison, Outcome, Site
from nnx_conformance.judging.moves import Handle, beside, guesses, handles, parts, placements, shapes
from nnx_conformance.judging.operands import WANTED, PursuedCondition, distance, numbers, pairs, targets

#: Of the visits of a condition, so many are looked at.
VISITED = 4
#: How often a goal is taken up again from a case that came nearer, how often a slope is followed on, and how many runs
#: one goal may take.
RETURNS, FOLLOWED, RUNS = 6, 12, 100
#: How many of the numbers that were compared anywhere are put in for conditions that nothing else met; and for those,
#: hashes for example, how many times as many runs are made beyond the budget.
POOL, CHANCE = 32, 2
ORDERED = frozenset(("<", "<=", ">", ">="))
#: Of these, the outcome is rare that says that the operands differ not at all.
UNEQUAL = frozenset(("!=", "is not", "not in", "truth"))
#: The sites of a run, in the order of the source; None where the run came to no end.
WatchCase = Callable[[Case], Sequence[Site] | None]
Goal = tuple[int, Outcome]


class CaseSearch:
    """A search over the runs of one candidate.

    Attributes:
        conditions: by number.
        led: the cases that met an outcome first, those that were given apart.
        runs: how many runs were made.
    """

    def __init__(self, components: Components, watch: WatchCase) -> None:
        self.components = components
        self.conditions: dict[int, PursuedCondition] = {}
        self.led: list[Case] = []
        self.runs = 0
        self._watch = watch
        self._budget = 0
        self._tried: dict[str, Sequence[Site] | None] = {}
        self._until = 0

    def run(self, given: Sequence[Case], budget: int, starts: Sequence[Case] = ()) -> None:
        """Look for cases that meet what the given ones do not; called again, go on with further ones.

        Args:
            budget: how many runs to make beside those of the given cases.
            starts: further cases to start from, to which an earlier search led.
        """
        kept = {near[1].key for condition in self.conditions.values() for near in condition.near.values()}
        self._tried = {key: sites if key in kept else None for key, sites in self._tried.items()}
        self._budget = self.runs + len(given) + budget
        self._run(self.components.base)
        for case in given:
            self._run(case, given=True)
        for case in (*starts, *shapes(self.components)):
            if not self._goals():
                return
            self._run(case, self.components.base)
        self._solve()
        for case in itertools.islice(self._anew(), RUNS):
            if self._run(case):
                self._solve()
        self._budget += CHANCE * budget if self._budget else 0
        for source in (self._compared(), self._one_by_one()):
            for case in source:
                if self.runs >= self._budget or not self._open():
                    break
                if not self._idle(self._open(), self.components.base, case) and self._run(case):
                    self._solve()

    def stop(self) -> None:
        """Make no more runs."""
        self._budget = 0

    def nearest(self) -> list[Case]:
        """For each outcome that was not met, the case that came nearest to it."""
        near = [self.conditions[number].near.get(wanted) for number, wanted in self._goals()]
        return [each[1] for each in near if each]

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
            base = self.conditions[goal[0]].near[goal[1]][1]
            seen[goal] = base.key
            self._until = self.runs + RUNS
            for case in self._attempts(goal):
                self._run(case, base)
                if self._is_met(goal) or self.runs >= min(self._budget, self._until):
                    break
                if self.conditions[goal[0]].near[goal[1]][0][0] < self._start[0]:
                    break  # one part of it is met

    def _anew(self) -> Iterator[Case]:
        """Cases that meet once more, and otherwise, what leads to a condition that is still to be met."""
        for number, wanted in self._goals():
            near = self.conditions[number].near.get(wanted)
            for at, site in enumerate((near and self._tried.get(near[1].key)) or ()):
                for outcome in (Outcome.TRUE, Outcome.FALSE):
                    if at != number and site.outcome & outcome and outcome in self.conditions[at].near:
                        yield from self._attempts((at, outcome))

    def _worth(self, goal: Goal, returns: dict[Goal, int], seen: dict[Goal, str]) -> bool:
        near = self.conditions[goal[0]].near.get(goal[1])
        return near is not None and returns.get(goal, 0) < RETURNS and seen.get(goal) != near[1].key

    def _goals(self) -> list[Goal]:
        """What was reached and not met: both outcomes, and of arrays all elements together."""
        return [
            (number, wanted)
            for number, condition in self.conditions.items()
            for wanted in WANTED
            if condition.met and not condition.met & wanted and condition.varies(self.components.roles)
        ]

    def _is_met(self, goal: Goal) -> bool:
        return bool(self.conditions[goal[0]].met & goal[1])

    def _open(self) -> list[Goal]:
        return [goal for goal in self._goals() if self._is_open(goal)]

    def _is_open(self, goal: Goal) -> bool:
        """Whether a goal may be met by chance: an equality of what depends on the case, and is no part of it."""
        condition = self.conditions[goal[0]]
        rare = Outcome.FALSE if condition.site.operator in UNEQUAL else Outcome.TRUE
        chance = goal[1] is rare or (condition.site.operator == "truth" and goal[1] is Outcome.TRUE)
        chance = chance and condition.site.operator not in ORDERED and len(condition.values) > 1
        return chance and not condition.parts

    def _run(self, case: Case, base: Case | None = None, given: bool = False) -> bool:
        """Watch one case, once, that was made of a base; whether it met anything new."""
        if case.key in self._tried or self.runs >= self._budget:
            return False
        self.runs += 1
        sites = self._tried[case.key] = self._watch(case)
        if sites is None:
            if not given:
                self.led.append(case)
            return False
        new: dict[int, Outcome] = {}
        here = parts(self.components, case)
        for number, site in enumerate(sites):
            condition = self.conditions.setdefault(number, PursuedCondition(site))
            outcome = Outcome(site.outcome & 15)
            if gained := outcome & ~condition.met:
                new[number] = gained
            condition.met |= outcome
            condition.given |= outcome if given else Outcome.NONE
            condition.cases += bool(site.visits)
            condition.reached = self.runs if site.visits and condition.reached < 0 else condition.reached
            for visit in site.visits:
                condition.note(case, visit, here)
        if base and len(changed := self.components.differing(base, case)) == 1:
            for number in {number for number, _ in self._goals()}:
                self.conditions[number].learn(changed[0], self._visits(number, base), self._visits(number, case))
        if new and not given:
            self.led.append(case)
            self._lead_by_ordinary(case, new)
        return bool(new)

    def _lead_by_ordinary(self, case: Case, new: Mapping[int, Outcome]) -> None:
        """Lead to the same outcomes with ordinary arrays, too, if that is possible: zeros hide what is wrong."""
        twin = self.components.ordinary(case)
        if twin is None or self._run(twin):
            return
        sites = self._tried.get(twin.key)
        if sites and all(sites[number].outcome & outcome for number, outcome in new.items()):
            self.led.append(twin)

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
        later: list[Case] = []
        ordered = self.conditions[goal[0]].site.operator in ORDERED
        visits = sorted(self._visits(goal[0], base), key=lambda each: distance(each, goal[1]))[:VISITED]
        for each in visits or [visit]:
            for target in targets(each, ordered):
                yield from self._first(goal, base, placements(self.components, base, target), later)
        if pairs(visit, goal[1]):
            is_idle = self.conditions[goal[0]].is_idle
            for handle in handles(self.components, base):
                if not is_idle(handle.name):
                    yield from self._along(goal, base, handle)
            for left, right in pairs(visit, goal[1])[:2]:
                for end in (left, right):
                    yield from self._first(goal, base, guesses(self.components, base, end), later)
            # two parts together: one at its least, along the others
            for least in self._first(goal, base, self.components.least(base), later):
                yield least
                for handle in handles(self.components, least):
                    if handle.whole and not is_idle(handle.name):
                        yield from self._along(goal, least, handle)
        yield from later

    def _first(self, goal: Goal, base: Case, cases: Iterator[Case], later: list[Case]) -> Iterator[Case]:
        """Those that change what the condition depends on; the others are for later."""
        for case in cases:
            if self._idle([goal], base, case):
                later.append(case)
            else:
                yield case

    def _idle(self, goals: Sequence[Goal], base: Case, case: Case) -> bool:
        """Whether a case differs from its base only in what makes no difference to any of these conditions."""
        changed = self.components.differing(base, case)
        return all(self.conditions[number].is_idle(name) for number, _ in goals for name in changed)

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
        """All parts of the case moved on together that make a difference."""
        for count in range(1, self._budget):
            goals = self._open()
            if not goals:
                return
            case = self.conditions[goals[0][0]].near[goals[0][1]][1]
            for name, role in self.components.roles.items():
                value: Any
                if all(self.conditions[number].is_idle(name) for number, _ in goals):
                    continue
                if isinstance(role, Whole):
                    value = role.low + count % (role.high - role.low + 1)
                elif isinstance(role, Real):
                    value = role.low + (role.high - role.low) * (count * 0.618 % 1)
                else:
                    value = role.shaped(np.resize((1, -1, 2, 0, 0.5, -3), 1 + count % 7) * (count % 17 - 8) + count, 1)
                case = self.components.put(case, name, value) or case
            yield case
