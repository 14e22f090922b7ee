"""The report: the immutable result from which every output is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnx_conformance.case import Case
from nnx_conformance.contract import Level
from nnx_conformance.loaded import Versions
from nnx_conformance.observation import Line
from nnx_conformance.timeline import Timeline

Status = Literal["held", "violated", "blocked", "waived", "not applicable"]
STATUSES: tuple[Status, ...] = ("held", "violated", "blocked", "waived", "not applicable")

Verdict = Literal["conforms", "does not conform", "could not be judged"]

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
        cause, remedy: why, and how to mend it.
        case: the smallest case found; None if the candidate was never run.
        smallest: whether the search for smaller ones came to its end.
        violated, evaluated: on how many cases it was violated, and evaluated.
        blocks: the checks that could not be judged because of it.
        follows: the violated check whose cause is this one's, too; empty if it stands for itself.
        replay: the command that runs it again; empty until it is stored.
        excerpt: the code around the line; None if the judge cannot read it.
        timeline: the state of the case, call by call; None if there is none to show.
        script: a Python script that runs as it stands and shows it; empty if the contract has none.
        run: the command that runs the script; empty until it is stored.
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
    follows: str = ""
    replay: str = ""
    excerpt: Excerpt | None = None
    timeline: Timeline | None = None
    script: str = ""
    run: str = ""
    smallest: bool = False


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes:
        evaluated: the number of cases on which it was really judged; a check evaluated on none never counts as held.
        violated: on how many of them it was violated.
        blocked_by: the checks that stood in its way.
        reason: why it is not applicable or waived.
    """

    id: str
    level: Level
    requirement: str
    status: Status
    evaluated: int
    violated: int
    blocked_by: tuple[str, ...] = ()
    reason: str = ""


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
        """What is wrong with it and how to mend that; empty while it is in force."""
        if self.state == "expired":
            return f"its waiver ({self.reason}) expired on {self.expires}: mend the code, or renew the waiver"
        if self.state == "no longer needed":
            narrow = ", or narrow its `candidate`" if any(char in self.candidate for char in "*?[") else ""
            said = f"the check holds, so its waiver ({self.reason}) is no longer needed"
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
        findings: the violated ones, MUST before SHOULD.
        seconds: how long judging took.
        failure: why it could not be judged; empty otherwise.
        ended: how the candidate's process ended before its time: `crashed`, `timed out`, `malformed`; or empty.
        isolation: what the candidate was kept to; empty for one that was judged in process.
        source: the candidate's file, relative to the current folder where it lies below; empty if there is none.
        waivers: those that name this candidate.
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
    ended: str = ""
    isolation: str = ""
    source: str = ""
    waivers: tuple[WaiverUse, ...] = ()

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
            return "could not be judged"
        deciding = [result for result in self.checks if self.decides(result.level)]
        bad = bool(self.stale) or any(result.status in ("violated", "blocked") for result in deciding)
        if (
            not bad
            and not any(result.status == "held" for result in self.checks if result.level == "MUST")
            and any(result.level == "MUST" for result in self.checks)
        ):
            return "could not be judged"
        return "does not conform" if bad else "conforms"

    @property
    def exit_status(self) -> int:
        """0 conforms; 1 does not; 3 could not be judged."""
        return {"conforms": 0, "does not conform": 1, "could not be judged": 3}[self.verdict]

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

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from nnx_conformance.formats.html import fragment

        return fragment(self)
