"""The rows of the kill matrix: how often each check caught an implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnx_conformance.audit.interval import Interval, interval
from nnx_conformance.audit.specimens import Kind, Specimen
from nnx_conformance.grading.grade import NO_VERDICT, Grade


@dataclass(frozen=True)
class KillRow:
    """One implementation, judged once per seed.

    Attributes:
        name, kind, told: its name, its kind, and what it does.
        expects: the checks that must catch it; for a right one, those that may flag it.
        equivalent: the recorded reason why it is not wrong; empty for others.
        runs: the number of runs.
        caught: the number of runs that reported a violated check or ran out of time.
        by: for each check violated in any run, the number of such runs.
        cases: for each of these, the number of cases violated and judged over all runs.
        slow: the number of runs that ran out of time on some case.
        unloaded: why it could not be loaded, so that it proves nothing about the checks.
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
        """Whether it is a generated mutant that cannot be loaded, and so proves nothing."""
        return bool(self.unloaded) and self.kind in ("made", "rare")

    @property
    def wrong(self) -> bool:
        """Whether some check should catch it."""
        return self.kind != "right" and not self.equivalent

    @property
    def probability(self) -> Interval:
        """The probability that one run catches it."""
        return interval(self.caught, self.runs)

    @property
    def lost(self) -> tuple[str, ...]:
        """The checks that a hand-written mutant names and that caught it in no run."""
        return tuple(check for check in self.expects if check not in self.by) if self.kind == "mutant" else ()

    @property
    def accused(self) -> tuple[str, ...]:
        """The checks that flagged a right implementation in any run."""
        return tuple(check for check in self.by if check not in self.expects) if self.kind == "right" else ()


def kill_row(specimen: Specimen, grades: Sequence[Grade], excused: frozenset[str] = frozenset()) -> KillRow:
    """The row of an implementation, from the grade of each run.

    Args:
        specimen: the implementation.
        grades: of its runs.
        excused: the checks that flag the reference. They prove nothing about a mutant, unless it names them.
    """
    leaves_out = excused - set(specimen.catches) if specimen.kind != "right" else frozenset[str]()
    runs = [_violated(grade, leaves_out) for grade in grades]
    violated = Counter(check for run in runs for check in run)
    cases = {
        check: (sum(run.get(check, (0, 0))[0] for run in runs), sum(run.get(check, (0, 0))[1] for run in runs))
        for check in violated
    }
    return KillRow(
        name=specimen.name,
        kind=specimen.kind,
        told=specimen.story,
        expects=specimen.advice if specimen.kind == "right" else specimen.catches,
        equivalent=specimen.equivalent,
        runs=len(grades),
        caught=sum(bool(run) or _ran_out_of_time(grade) for run, grade in zip(runs, grades, strict=True)),
        by=dict(violated.most_common()),
        cases=cases,
        slow=sum(map(_ran_out_of_time, grades)),
        unloaded=_first(_unloaded(grade) for grade in grades),
        failed=_first(grade.reason for grade in grades if grade.status in NO_VERDICT and not _ran_out_of_time(grade)),
    )


def _violated(grade: Grade, leaves_out: frozenset[str]) -> dict[str, tuple[int, int]]:
    """The violated checks of a run, each with the numbers of violated and judged cases."""
    results = grade.report.checks if grade.report else ()
    violated = (result for result in results if result.status == "violated" and result.id not in leaves_out)
    return {result.id: (result.violated, result.evaluated) for result in violated}


def _ran_out_of_time(grade: Grade) -> bool:
    return grade.status == "timed out"


def _unloaded(grade: Grade) -> str:
    report = grade.report
    return report.findings[0].what if report and not report.cases and report.findings else ""


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")
