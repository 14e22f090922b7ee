"""The report: the immutable result from which every output is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnx_conformance.case import Case
from nnx_conformance.contract import Level
from nnx_conformance.observation import Line, Versions

Status = Literal["held", "violated", "blocked", "waived", "not applicable"]
STATUSES: tuple[Status, ...] = ("held", "violated", "blocked", "waived", "not applicable")

Verdict = Literal["conforms", "does not conform", "could not be judged"]


@dataclass(frozen=True, eq=False)
class Finding:
    """One violated check, with the smallest case that shows it.

    Attributes:
        check, level: which.
        what: what happened, in one line.
        expected, observed: the values as text; may be empty.
        line: where in the candidate; None if no line can be named.
        cause, remedy: why, and how to mend it.
        case: the smallest case found; None if the candidate was never run.
        violated, evaluated: on how many cases it was violated, and evaluated.
        blocks: the checks that could not be judged because of it.
        follows: the violated check whose cause is this one's, too; empty if it stands for itself.
        replay: the command that runs it again; empty until it is stored.
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

    @property
    def verdict(self) -> Verdict:
        """`conforms` only if every MUST check held or does not apply, and under `strict` every SHOULD check too."""
        if self.failure:
            return "could not be judged"
        deciding = [result for result in self.checks if result.level == "MUST" or self.settings.strict]
        bad = any(result.status in ("violated", "blocked") for result in deciding)
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
