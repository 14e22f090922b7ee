"""What a session under the module laws came to, as text: findings first, then what was not adopted, then the counts."""

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
#: The trait that answers each.
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
        if asked := question(root, each.target.partition("::")[2], NAME):
            yield textwrap.fill(asked, WIDTH, initial_indent="    question       ", subsequent_indent=" " * 19)
        if followers:
            yield f"    also breaks    {', '.join(finding.check for finding in followers)}"
        yield ""


def _failure(each: JudgedSubject) -> str:
    return each.report.failure if each.report else ""


def refused(reasons: dict[str, str]) -> Iterator[str]:
    """The classes that were not adopted, and why."""
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
    """How many classes were recorded, adopted, and violate a law."""
    adopted, violate = {each.dotted for each in results}, violating(results)
    parts = [f"{adoption.seen} {'class' if adoption.seen == 1 else 'classes'} recorded", f"{len(adopted)} adopted"]
    names = f" ({', '.join(violate)})" if violate else ""
    parts.append(f"{len(violate)} {'violates' if len(violate) == 1 else 'violate'} a law{names}")
    return ", ".join(parts)


def question(finding: Finding, subject: str, kept: str) -> str:
    """What a person is asked about a finding that may be on purpose, which no recording shows; else empty.

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
