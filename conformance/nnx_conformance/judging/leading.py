"""Leads cases to a candidate's conditions, in a watched session that is never judged.

The cases that a search leads to are judged like drawn ones, elsewhere, on the source as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnx_conformance.core.case import Case
from nnx_conformance.core.errors import CannotObserve
from nnx_conformance.core.plan import Request, RunPlan, Untraced
from nnx_conformance.core.search.components import Components
from nnx_conformance.core.search.conditions import Conditions, Outcome, Site, Unmet, negated
from nnx_conformance.judging.client import Client
from nnx_conformance.judging.operands import PursuedCondition
from nnx_conformance.judging.solving import CaseSearch
from nnx_conformance.process.session import Ended

#: So many of the drawn cases are watched. So many runs are made at most, and for each case that the user asks for.
GIVEN, MOST_RUNS, RUNS_A_CASE = 12, 300, 6
SLOW = "looking for cases took as long as judging them"
#: After so many ends of its process, a candidate is watched no more.
ENDS = 3
#: A finding names at most so many conditions.
NAMED = 3


class Leading:
    """Leads to the conditions of one candidate.

    Args:
        client: a session that nothing else uses.
        calls: how many calls of a module a case asks for.
    """

    def __init__(self, client: Client, components: Components, calls: Callable[[Case], int]) -> None:
        self.components = components
        self._client = client
        self._calls = calls
        self._untraced = Untraced.NEVER
        self._settled = False
        self._ends = 0
        self._note = ""
        self._late = ""
        self._is_late: Callable[[], bool] = lambda: False
        self._search = CaseSearch(components, self._watch)

    def cases(
        self,
        given: Sequence[Case],
        runs: int,
        is_late: Callable[[], bool],
        starts: Sequence[Case] = (),
        late: str = SLOW,
    ) -> tuple[Case, ...]:
        """The cases that meet what the given ones, which are judged already, do not; called again, further ones.

        Args:
            given: of the drawn cases, those that are watched.
            runs: how many to make beside these.
            is_late: whether a slow candidate is to be watched no longer; what was found until then counts.
            starts: cases to which an earlier search led.
            late: the note of the report where it took longer.
        """
        self._is_late, self._late = is_late, late
        known = len(self._search.led)
        self._search.run(given, runs, starts)
        return tuple(self._search.led[known:])

    @property
    def used(self) -> float:
        """The processor seconds of the process that is watched."""
        return self._client.used

    def kept(self) -> tuple[Case, ...]:
        """What a later search starts from: the cases that met something, and those that came nearest to something."""
        return (*self._search.led, *self._search.nearest())

    @property
    def conditions(self) -> Conditions:
        """The conditions, and which outcomes the cases met."""
        every = self._search.conditions.values()
        # Functions that no case comes to are not part of what is judged: a script's `main`, for example.
        ran = {(each.site.line.file, each.site.function) for each in every if each.cases}
        known = [each for each in every if (each.site.line.file, each.site.function) in ran]
        unmet = tuple(unmet for condition in known if (unmet := _unmet(condition)) is not None)
        ordered = tuple(sorted(unmet, key=lambda each: (each.line.file, each.line.number)))
        tested = sum(condition.site.operator != "table" for condition in known)
        return Conditions(tested, ordered, self._search.runs, self._note)

    def only_where(self, case: Case) -> tuple[str, ...]:
        """The conditions that a case meets and none of the given ones did, as they stand in the source."""
        texts: list[str] = []
        for number, site in enumerate(self._watch(case) or ()):
            condition = self._search.conditions.get(number)
            new = Outcome(site.outcome & 15) & ~condition.given if condition and site.operator != "table" else 0
            if new & (Outcome.TRUE | Outcome.ALL_TRUE):
                texts.append(site.text)
            elif new and condition and condition.given:
                texts.append(negated(site.text))
        apart = [text for text in texts if not any(text in other for other in texts if other != text)]
        return tuple(dict.fromkeys(apart))[:NAMED]

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _watch(self, case: Case) -> Sequence[Site] | None:
        """The conditions of one run; None where the candidate's process ended on it."""
        if self._is_late():
            self._note, self._is_late = self._late, lambda: False
            self._search.stop()
        if self._ends >= ENDS:
            return None
        facts = self._facts(case, self._untraced)
        if facts is not None and not self._settled:
            self._settled = True
            if any(site.traced for site in facts.watched.sites):
                # What is traced is compared where it runs, and without traces that is where we can see it.
                eager = self._facts(case, Untraced.ALWAYS)
                if eager is not None and (facts.run.raised or not eager.run.raised):
                    self._untraced, facts = Untraced.ALWAYS, eager
        if facts is None:
            return None
        self._note = self._note or facts.watched.untouched
        return facts.watched.sites  # type: ignore[no-any-return]

    def _facts(self, case: Case, untraced: Untraced) -> Any:
        try:
            self._client.submit(Request(case, RunPlan(untraced=untraced, watch=True), self._calls(case)))
            return self._client.collect()
        except (Ended, CannotObserve) as ended:
            self._ends += 1
            if self._ends >= ENDS or isinstance(ended, CannotObserve):
                self._note = f"watching ended, as {ended}"
            self._client.restart()
            return None


def _unmet(condition: PursuedCondition) -> Unmet | None:
    site = condition.site
    if site.operator == "table":
        return None
    if condition.reached < 0:
        return Unmet(site.line, site.text, "reached")
    for wanted, word in ((Outcome.TRUE, "true"), (Outcome.FALSE, "false")):
        if not condition.met & wanted:
            return Unmet(site.line, site.text, word, _nearest(condition, wanted))
    return None


def _nearest(condition: PursuedCondition, wanted: Outcome) -> str:
    near = condition.near.get(wanted)
    if near is None:
        return ""
    sides = [side.text for side in (near[2].left, near[2].right)]
    return f"{sides[0]} against {sides[1]}" if all(side and len(side) <= 30 for side in sides) else ""
