"""What the sandbox refused, told as such: a candidate whose author never heard of it must not puzzle over an error."""

from __future__ import annotations

import dataclasses
import re

from nnx_conformance.report import Finding, Report

#: EPERM, EACCES, EROFS.
REFUSED = re.compile(r"\[Errno (?:1|13|30)\] ")
CAUSE = "the sandbox lets a candidate write to its temporary directory alone, and start no process and no connection"
REMEDY = "Do without files, processes and the network; `--isolation process` judges without a sandbox."


def explained(report: Report) -> Report:
    """The report, with this cause for a finding that a refusal of the sandbox led to."""
    if not report.isolation.startswith("sandbox"):
        return report
    return dataclasses.replace(report, findings=tuple(map(_explained, report.findings)))


def _explained(finding: Finding) -> Finding:
    if not REFUSED.search(finding.what):
        return finding
    return dataclasses.replace(finding, cause=CAUSE, remedy=REMEDY)
