"""The report: the immutable result from which every output is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from nnx_conformance.core.candidate.loaded import End, Versions
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Level
from nnx_conformance.core.facts import Line
from nnx_conformance.core.search.conditions import Conditions
from nnx_conformance.core.timeline import Timeline


class Status(StrEnum):
    """What a check came to, in the order of reports."""

    HELD = "held"
    VIOLATED = "violated"
    BLOCKED = "blocked"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


STATUSES = tuple(Status)


class Verdict(StrEnum):
    """What a candidate came to."""

    CONFORMS = "conforms"
    FAILS = "does not conform"
    UNJUDGED = "could not be judged"


#: How the reasons of a baseline's entries begin; the date follows.
BASELINE = "baseline of "

WaiverState = Literal["in force", "expired", "no longer needed"]


@dataclass(frozen=True)
class Excerpt:
    """Lines of the candidate's source around a finding; `first` is the number of the first of them."""

    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Finding:
    """One violated check, with a case that shows it.

    Attributes:
        check, level: which.
        what: what happened, in one line.
        expected, observed: the values as text; may be empty.
        line: where in the candidate; None if no line can be named.
        cause, remedy: why, and how to fix it.
        case: the smallest case; None if the candidate was never run.
        smallest: whether the search for smaller ones came to its end.
        violated, evaluated: on how many cases it was violated, and evaluated.
        blocks: the checks that could not be judged because of it.
        because: the violated check at the root of this one; empty if it is a root itself.
        replay: the command that runs it again; empty until it is stored.
        excerpt: the code around the line; None if the judge cannot read it.
        timeline: the state of the case, call by call; None if there is none to show.
        script: a Python script that runs as it stands and shows it; empty if the contract has none.
        run: the command that runs the script; empty until it is stored.
        end: how the candidate's process ended on the case; None if it answered.
        assertion: what chex says of what the check compares on the case; empty where it compares nothing.
        file: where the line is, relative to the current folder, if it lies in another folder than the candidate; the
            judge has made sure that it is the candidate's own.
        condition: where alone it is violated, as the source has it; empty where drawn cases violate it, too.
    """

    check: str
    level: Level
    what: str
    expected: str
    observed: str
    line: Line | None
    cause: str
    remedy: str
    case: Case | None
    violated: int
    evaluated: int
    blocks: tuple[str, ...] = ()
    because: str = ""
    replay: str = ""
    excerpt: Excerpt | None = None
    timeline: Timeline | None = None
    script: str = ""
    run: str = ""
    smallest: bool = False
    end: End | None = None
    assertion: str = ""
    file: str = ""
    condition: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes:
        evaluated: the number of cases on which it was really judged; a check evaluated on none never counts as held.
        violated: on how many of them it was violated.
        blocked_by: the checks that stood in its way.
        reason: why it is not applicable or waived.
        proved: for which values of its inputs a trace proves that it holds, such as `float32[2,3]`; empty for none.
    """

    id: str
    level: Level
    requirement: str
    status: Status
    evaluated: int
    violated: int
    blocked_by: tuple[str, ...] = ()
    reason: str = ""
    proved: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class WaiverUse:
    """What a waiver came to for this candidate.

    Attributes:
        check: the id that it excuses.
        candidate: its glob, as the settings have it.
        reason: why the owner excuses it.
        expires: the last day on which it excuses, as `2026-12-31`; empty if none.
        state: anything but `in force` decides against the candidate.
        finding: what it excuses; None if that is no violation.
    """

    check: str
    candidate: str
    reason: str
    expires: str
    state: WaiverState
    finding: Finding | None = None

    @property
    def problem(self) -> str:
        """What is wrong with it and how to fix that; empty while it is in force."""
        if self.state == "expired":
            return f"its waiver ({self.reason}) expired on {self.expires}: fix the code, or renew the waiver"
        if self.state == "no longer needed":
            narrow = ", or narrow its `candidate`" if any(char in self.candidate for char in "*?[") else ""
            said = f"the check holds, so its waiver ({self.reason}) is no longer needed"
            if self.reason.startswith(BASELINE):
                return f"{said}: `nnx-conformance check --write-baseline DAY` removes it"
            return f"{said}: remove it from pyproject.toml{narrow}"
        return ""


@dataclass(frozen=True)
class Settings:
    """What the judge was asked for."""

    max_examples: int = 200
    seed: int = 0
    strict: bool = False
    shrink: bool = True
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Report:
    """One candidate under one contract.

    Attributes:
        candidate: the target as it was given.
        cases: how many cases were run.
        checks: one result for each planned check, in the order of the contract.
        findings: the violated ones: each root directly followed by what follows from it, MUST roots first.
        seconds: how long judging took.
        failure: why it could not be judged; empty otherwise.
        ended: how the candidate's process ended before its time; None if it did not.
        isolation: what the candidate was kept to; empty for one that was judged in process.
        source: the candidate's file, relative to the current folder where it lies below; empty if there is none.
        waivers: those that name this candidate.
        note: what of the candidate did not run, as magics of a notebook, and whether judging ended early; empty if all
            of it ran, on all cases.
        conditions: which conditions of its source were met both ways.
    """

    candidate: str
    contract: str
    contract_version: str
    settings: Settings
    versions: Versions | None
    cases: int
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    seconds: float
    failure: str = ""
    ended: End | None = None
    isolation: str = ""
    source: str = ""
    waivers: tuple[WaiverUse, ...] = ()
    note: str = ""
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def groups(self) -> tuple[tuple[Finding, tuple[Finding, ...]], ...]:
        """Each root finding, with those that follow from it."""
        checks = {finding.check for finding in self.findings}
        return tuple(
            (root, tuple(finding for finding in self.findings if finding.because == root.check))
            for root in self.findings
            if root.because not in checks
        )

    @property
    def stale(self) -> tuple[WaiverUse, ...]:
        """The waivers that have expired or are no longer needed."""
        return tuple(use for use in self.waivers if use.state != "in force")

    @property
    def verdict(self) -> Verdict:
        """`conforms` only if every MUST check held, is waived or does not apply, and under `strict` every SHOULD too.

        A waiver that has expired or is no longer needed decides against the candidate.
        """
        if self.failure:
            return Verdict.UNJUDGED
        deciding = [result for result in self.checks if self.decides(result.level)]
        bad = bool(self.stale) or any(result.status in (Status.VIOLATED, Status.BLOCKED) for result in deciding)
        if (
            not bad
            and not any(result.status == Status.HELD for result in self.checks if result.level == "MUST")
            and any(result.level == "MUST" for result in self.checks)
        ):
            return Verdict.UNJUDGED
        return Verdict.FAILS if bad else Verdict.CONFORMS

    @property
    def exit_status(self) -> int:
        """0 conforms; 1 does not; 3 could not be judged."""
        return {Verdict.CONFORMS: 0, Verdict.FAILS: 1, Verdict.UNJUDGED: 3}[self.verdict]

    def decides(self, level: Level) -> bool:
        """Whether checks of a level decide the verdict."""
        return level == "MUST" or self.settings.strict

    def count(self, status: Status, level: Level | None = None) -> int:
        """How many checks came to a status."""
        return sum(result.status == status and level in (None, result.level) for result in self.checks)

    def result(self, check_id: str) -> CheckResult:
        """What became of one check.

        Raises:
            KeyError: if it was not planned.
        """
        for result in self.checks:
            if result.id == check_id:
                return result
        raise KeyError(check_id)
