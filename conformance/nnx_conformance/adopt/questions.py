"""Findings that are questions: whether a call does on purpose what it does, which no recording can show."""

from __future__ import annotations

from nnx_conformance.core.candidate.subject import CAPABILITIES
from nnx_conformance.core.report import Finding

#: The trait that answers each.
ANSWERS = {
    "params-untouched": "rewrites_param",
    "optimizer-safe": "rewrites_param",
    "updates-kept": "discards_updates",
    "no-growth": "grows",
    "rows-independent": "mixes_rows",
    "gradients-agree": "stops_gradient",
}


def question(finding: Finding, subject: str, kept: str) -> str:
    """What a person is asked about a finding; empty if it is no question.

    Args:
        finding: of a subject that was recorded.
        subject: its name.
        kept: the file of subjects in which the answer is to stand.
    """
    trait = ANSWERS.get(finding.check)
    if trait is None:
        return ""
    done = CAPABILITIES[trait].replace(" on purpose", "")
    return (
        f"Is it on purpose that {done}? If so, declare `traits={{'{trait}': True}}` for {subject} "
        f"in {kept}; if not, fix it as the remedy says."
    )
