"""What became of one implementation over the runs of an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnx_conformance.auditing.interval import Interval, interval
from nnx_conformance.auditing.subject import Kind, Subject
from nnx_conformance.grading.outcome import Outcome


@dataclass(frozen=True)
class Row:
    """One implementation, judged once for each seed.

    Attributes:
        name, kind, told: which, and what it does.
        expects: the checks that must catch it; for a right one, those that may.
        equivalent: why it is right after all, where that is recorded.
        runs: how often it was judged.
        caught: how many runs reported any violated check.
        by: in how many runs each check was violated; none that never was.
        cases: on how many cases each of these was violated, and judged, over all runs.
        slow: in how many runs it ran out of time on some case.
        unloaded: why it could not be loaded; it then says nothing of the checks.
        failed: why the kit failed at it.
    """

    name: str
    kind: Kind
    told: str
    expects: tuple[str, ...]
    equivalent: str
    runs: int
    caught: int
    by: dict[str, int]
    cases: dict[str, tuple[int, int]]
    slow: int = 0
    unloaded: str = ""
    failed: str = ""

    @property
    def dead(self) -> bool:
        """Whether it was made, and is no program that could be judged: it proves nothing."""
        return bool(self.unloaded) and self.kind in ("made", "rare")

    @property
    def wrong(self) -> bool:
        """Whether some check ought to catch it."""
        return self.kind != "right" and not self.equivalent

    @property
    def probability(self) -> Interval:
        """How surely one run reports it."""
        return interval(self.caught, self.runs)

    @property
    def lost(self) -> tuple[str, ...]:
        """The checks that name it as their mutant, and caught it in no run."""
        return tuple(check for check in self.expects if check not in self.by) if self.kind == "mutant" else ()

    @property
    def accused(self) -> tuple[str, ...]:
        """The checks that flag it in any run although it is right."""
        return tuple(check for check in self.by if check not in self.expects) if self.kind == "right" else ()


def row(subject: Subject, outcomes: Sequence[Outcome], excused: frozenset[str] = frozenset()) -> Row:
    """The row of an implementation, from the outcome of each run.

    Args:
        subject: which.
        outcomes: of its runs.
        excused: the checks that flag the reference, too. They are no proof against what was written as it was.
    """
    leaves_out = excused - set(subject.catches) if subject.kind != "right" else frozenset[str]()
    runs = [_violated(outcome, leaves_out) for outcome in outcomes]
    violated = Counter(check for found in runs for check in found)
    cases = {
        check: (sum(found.get(check, (0, 0))[0] for found in runs), sum(found.get(check, (0, 0))[1] for found in runs))
        for check in violated
    }
    return Row(
        name=subject.name,
        kind=subject.kind,
        told=subject.told,
        expects=subject.advice if subject.kind == "right" else subject.catches,
        equivalent=subject.equivalent,
        runs=len(outcomes),
        caught=sum(map(bool, runs)),
        by=dict(violated.most_common()),
        cases=cases,
        slow=sum(map(_ran_out_of_time, outcomes)),
        unloaded=_first(_unloaded(outcome) for outcome in outcomes),
        failed=_first(outcome.reason for outcome in outcomes if outcome.status == "the kit failed"),
    )


def _violated(outcome: Outcome, leaves_out: frozenset[str]) -> dict[str, tuple[int, int]]:
    """The violated checks of a run, each with on how many cases, of how many."""
    results = outcome.report.checks if outcome.report else ()
    found = (one for one in results if one.status == "violated" and one.id not in leaves_out)
    return {one.id: (one.violated, one.evaluated) for one in found}


def _ran_out_of_time(outcome: Outcome) -> bool:
    return any(finding.observed == "timed out" for finding in (outcome.report.findings if outcome.report else ()))


def _unloaded(outcome: Outcome) -> str:
    report = outcome.report
    return report.findings[0].what if report and not report.cases and report.findings else ""


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")
