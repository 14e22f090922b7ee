"""What became of one candidate of a grading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnx_conformance.report import Report

Status = Literal["conforms", "does not conform", "crashed", "timed out", "the kit failed", "not run"]
STATUSES: tuple[Status, ...] = ("conforms", "does not conform", "crashed", "timed out", "the kit failed", "not run")
#: What is known of the candidate; the rest is judged again when a grading is resumed.
FINAL: tuple[Status, ...] = ("conforms", "does not conform", "crashed", "timed out")


@dataclass(frozen=True)
class Outcome:
    """The result of one key.

    Attributes:
        reason: why the kit failed; empty otherwise.
        report: None if the kit failed.
    """

    key: str
    status: Status
    seconds: float
    reason: str = ""
    report: Report | None = None


def of(key: str, report: Report) -> Outcome:
    """The outcome that a report tells."""
    return Outcome(key, _status(report), report.seconds, report.failure, report)


def failed(key: str, reason: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a candidate at which the kit itself failed: no verdict."""
    return Outcome(key, "the kit failed", seconds, reason)


def _status(report: Report) -> Status:
    if report.verdict == "could not be judged":
        return "the kit failed"
    if report.verdict == "conforms":
        return "conforms"
    if report.ended == "timed out":
        return "timed out"
    return "crashed" if report.ended == "crashed" else "does not conform"
