"""The grade of one candidate: its status, and the report that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.report import Report
from nnx_conformance.judging.tier import DrawnAt

GradeStatus = Literal[
    "conforms", "does not conform", "crashed", "timed out", "could not be judged", "the kit failed", "not run"
]
#: What is known of the candidate; the rest is judged again when a grading is resumed.
FINAL: tuple[GradeStatus, ...] = ("conforms", "does not conform", "crashed", "timed out", "could not be judged")
STATUSES: tuple[GradeStatus, ...] = (*FINAL, "the kit failed", "not run")
#: No verdict; why, the grade's `reason` says.
NO_VERDICT: tuple[GradeStatus, ...] = ("timed out", "could not be judged", "the kit failed")


@dataclass(frozen=True)
class Grade:
    """The result of one key.

    Attributes:
        reason: why there is no verdict; empty if there is one.
        report: None if the kit failed, or what was handed in cannot be judged by the contract.
        places: of the drawn cases on which a MUST check is violated, where the plan asks for them.
    """

    key: str
    status: GradeStatus
    seconds: float
    reason: str = ""
    report: Report | None = None
    places: tuple[DrawnAt, ...] = ()


def graded(key: str, report: Report, places: tuple[DrawnAt, ...] = ()) -> Grade:
    """The grade that follows from a report."""
    return Grade(key, _status(report), report.seconds, report.failure, report, places)


def ungraded(key: str, reason: str, seconds: float = 0.0) -> Grade:
    """The grade of a candidate on which the kit itself failed: no verdict."""
    return Grade(key, "the kit failed", seconds, reason)


def refused(key: str, reason: str, seconds: float) -> Grade:
    """The grade of a candidate that `check` refuses as misuse."""
    return Grade(key, "could not be judged", seconds, reason)


def _status(report: Report) -> GradeStatus:
    if report.verdict == "could not be judged":
        return "timed out" if report.ended is End.TIMED_OUT else "could not be judged"
    if report.verdict == "conforms":
        return "conforms"
    return "crashed" if report.ended is End.CRASHED else "does not conform"
