"""The report: the immutable data from which every output format is written."""

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
    """The status of a check, in the order of reports."""

    HELD = "held"
    VIOLATED = "violated"
    BLOCKED = "blocked"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


STATUSES = tuple(Status)


class Verdict(StrEnum):
    """The verdict on a candidate."""

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
        check, level: the id and level of the check.
        what: what happened, in one line.
        expected, observed: the values as text; may be empty.
        line: where in the candidate; None if unknown.
        cause, remedy: why, and how to fix it.
        case: the smallest case; None if the candidate never ran.
        smallest: whether the search for smaller cases was finished.
        violated, evaluated: how many cases violated the check, and on how many it was judged.
        blocks: the checks that could not be judged because of it.
        because: the violated check that caused this finding; empty if it is a root itself.
        replay: the command that runs it again; empty until it is stored.
        excerpt: the code around the line; None if the judge cannot read it.
        timeline: the state of the case, call by call; None for no picture.
        script: a complete Python script that shows it; empty if the contract has none.
        run: the command that runs the script; empty until it is stored.
        end: how the candidate's process ended on the case; None if it answered.
        assertion: chex's message on the check's claims for this case; empty if the check compares nothing.
        file: the line's file relative to the current folder, if it is outside the candidate's folder; the judge has
            verified that the candidate owns it.
        condition: the condition of the source that a case must meet to show it; empty if drawn cases show it, too.
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
    """The result of one check.

    Attributes:
        evaluated: the number of cases on which it was judged; with none, it never counts as held.
        violated: how many of them violated it.
        blocked_by: the violated checks that blocked it.
        reason: why it is not applicable or waived.
        proved: the inputs for which a trace proves that it holds, such as `float32[2,3]`; empty for none.
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
    """A waiver that names this candidate, and its effect.

    Attributes:
        check: the id of the check that it excuses.
        candidate: its glob, as written in the settings.
        reason: why the owner excuses the check.
        expires: the last day on which it applies, such as `2026-12-31`; empty if none.
        state: any state but `in force` decides against the candidate.
        finding: the finding that it excuses; None if the check is not violated.
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
            problem = f"the check holds, so its waiver ({self.reason}) is no longer needed"
            if self.reason.startswith(BASELINE):
                return f"{problem}: `nnx-conformance check --write-baseline DAY` removes it"
            return f"{problem}: remove it from pyproject.toml{narrow}"
        return ""


@dataclass(frozen=True)
class Settings:
    """The options that the candidate was judged with."""

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
        findings: one for each violated check: each root directly followed by its consequences, MUST roots first.
        seconds: how long judging took.
        failure: why the candidate could not be judged; empty otherwise.
        ended: how the candidate's process ended before it was closed; None if it did not.
        isolation: what confined the candidate's process; empty for a candidate judged in this process.
        source: the candidate's file, relative to the current folder if below it; empty if there is none.
        waivers: those that name this candidate.
        note: what did not run, such as magics of a notebook or the cases after an early end; empty if everything ran.
        conditions: which conditions of its source came out both ways.
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
        """Each root finding with the findings that it causes."""
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
        """`conforms` only if every MUST check held, is waived or does not apply; under `strict` every SHOULD check too.

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
        """Whether checks of this level decide the verdict."""
        return level == "MUST" or self.settings.strict

    def count(self, status: Status, level: Level | None = None) -> int:
        """How many checks have a status."""
        return sum(result.status == status and level in (None, result.level) for result in self.checks)

    def result(self, check_id: str) -> CheckResult:
        """The result of a check.

        Raises:
            KeyError: if it was not planned.
        """
        for result in self.checks:
            if result.id == check_id:
                return result
        raise KeyError(check_id)
