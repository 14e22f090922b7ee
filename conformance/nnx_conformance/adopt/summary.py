"""The summary of a session under the module laws: findings, then classes that were not adopted, then counts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from nnx_conformance.adopt.judging import JudgedSubject, violating
from nnx_conformance.adopt.session import Adoption
from nnx_conformance.adopt.subject_file import NAME
from nnx_conformance.core.candidate.subject import CAPABILITIES
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding
from nnx_conformance.reports.terminal import finding_text

WIDTH = 80
#: For each law, the trait that declares its violation intended.
ANSWERS = {
    "params-untouched": "rewrites_param",
    "optimizer-safe": "rewrites_param",
    "updates-kept": "discards_updates",
    "no-growth": "grows",
    "rows-independent": "mixes_rows",
    "gradients-agree": "stops_gradient",
}


def lines(adoption: Adoption, results: Sequence[JudgedSubject]) -> Iterator[str]:
    """The lines of the summary."""
    for each in results:
        yield from _findings(each)
    unjudged = {each.dotted: each.failure or _failure(each) for each in results if each.failure or _failure(each)}
    yield from refused(adoption.refused)
    yield from _listed("could not be judged", unjudged)
    yield counts(adoption, results)
    if results:
        yield f"subjects: {results[0].target.partition('::')[0]}"


def _findings(each: JudgedSubject) -> Iterator[str]:
    report = each.report
    if report is None or not report.findings:
        return
    yield f"{each.dotted}  {report.verdict}"
    for root, followers in report.groups:
        yield textwrap.indent(finding_text(report, root), "  ")
        if text := question(root, each.target.partition("::")[2], NAME):
            yield textwrap.fill(text, WIDTH, initial_indent="    question       ", subsequent_indent=" " * 19)
        if followers:
            yield f"    also breaks    {', '.join(finding.check for finding in followers)}"
        yield ""


def _failure(each: JudgedSubject) -> str:
    return each.report.failure if each.report else ""


def refused(reasons: dict[str, str]) -> Iterator[str]:
    """The lines on classes that were not adopted, and why."""
    yield from _listed("not adopted", reasons)


def _listed(title: str, reasons: dict[str, str]) -> Iterator[str]:
    if reasons:
        yield title
        for dotted, why in sorted(reasons.items()):
            yield textwrap.fill(f"{plain(dotted)}: {plain(why)}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        yield f"  For a subject by hand: `{example(min(reasons))}`."
        yield ""


def example(dotted: str) -> str:
    """The subject to write by hand for a class."""
    return f"Subject(make=lambda rngs: {plain(dotted.rpartition('.')[2])}(...), inputs=[...])"


def counts(adoption: Adoption, results: Sequence[JudgedSubject]) -> str:
    """The line with the numbers of classes recorded, adopted, and violating a law."""
    adopted, violate = {each.dotted for each in results}, violating(results)
    recorded = adoption.classes
    parts = [f"{recorded} {'class' if recorded == 1 else 'classes'} recorded", f"{len(adopted)} adopted"]
    names = f" ({', '.join(violate)})" if violate else ""
    parts.append(f"{len(violate)} {'violates' if len(violate) == 1 else 'violate'} a law{names}")
    return ", ".join(parts)


def question(finding: Finding, subject: str, file: str) -> str:
    """The question whether a finding is on purpose, which no recording shows; empty if no trait would declare that.

    Args:
        finding: of a recorded subject.
        subject: its name.
        file: the file of subjects, for the answer.
    """
    trait = ANSWERS.get(finding.check)
    if trait is None:
        return ""
    done = CAPABILITIES[trait].replace(" on purpose", "")
    return (
        f"Is it on purpose that {done}? If so, declare `traits={{'{trait}': True}}` for {subject} "
        f"in {file}; if not, fix it as the remedy says."
    )
