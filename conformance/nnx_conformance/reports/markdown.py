"""Markdown for a comment on a pull request, or a job summary.

What a candidate made is shown as code or with its signs escaped, so that it can neither format, link nor mention.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.reports.wording import (
    accounting,
    also_breaks,
    broken,
    details,
    how_often,
    is_prose,
    location,
    open_findings,
    open_groups,
    setting,
    verdicts,
)

#: By this, a job finds the comment that it wrote before.
MARKER = "<!-- nnx-conformance -->"
MARKS = {"conforms": "✅", "does not conform": "❌", "could not be judged": "⚠️"}
#: GitHub takes 65,536 characters in a comment.
LONGEST = 60_000
LEVELS = ("MUST", "SHOULD")
SIGNS = re.compile(r"([\\*_\[\]!|~$])")
#: What GitHub links by itself, however it is escaped: a space of no width keeps it from that.
LINKED = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one comment on all reports; says how many it has no room for."""
    head = f"{MARKER}\n" + (_one(reports[0]) if len(reports) == 1 else _several(list(reports)))
    findings = ["\n".join(_finding(report, *group)) for report in reports for group in open_groups(report)]
    fitting, omitted = _fitting(findings, LONGEST - len(head))
    file.write(head + "".join(fitting))
    if omitted:
        file.write(f"\n{omitted} more finding{'s' if omitted > 1 else ''} did not fit in here; see the full report.\n")


def _fitting(texts: list[str], room: int) -> tuple[list[str], int]:
    """The first texts that fit into so many characters, and how many are left."""
    lengths = list(accumulate(map(len, texts)))
    fitting = bisect_right(lengths, room)
    return texts[:fitting], len(texts) - fitting


def _one(report: Report) -> str:
    lines = [
        f"### {MARKS[report.verdict]} {code(report.candidate)} {report.verdict}",
        f"{broken(report)}; {accounting(report)}.",
        prose(report.failure),
        f"<sub>{prose(setting(report))}</sub>",
    ]
    return "\n\n".join(filter(None, lines)) + "\n\n"


def _several(reports: list[Report]) -> str:
    rows, omitted = _fitting([_row(report) + "\n" for report in reports], LONGEST // 2)
    more = f"\n{omitted} more candidates did not fit in here; see the full report.\n" if omitted else ""
    head = "| candidate | verdict | MUST violated | advice |\n| --- | --- | --- | --- |\n"
    return f"### {verdicts(reports)}\n\n{head}{''.join(rows)}{more}\n"


def _row(report: Report) -> str:
    findings = open_findings(report)
    violated = {level: [code(finding.check) for finding in findings if finding.level == level] for level in LEVELS}
    mark = f"{MARKS[report.verdict]} {report.verdict}"
    cells = (code(report.candidate, cell=True), mark, *(", ".join(violated[level]) for level in LEVELS))
    return f"| {' | '.join(cells)} |"


def _finding(report: Report, finding: Finding, followers: tuple[Finding, ...]) -> Iterator[str]:
    opened = " open" if report.decides(finding.level) else ""
    where = _where(report, finding)
    head = f"<b>{_shown(finding.check)}</b> {finding.level} {how_often(finding)}, {_shown(where)}"
    yield f"<details{opened}><summary>{head}</summary>\n"
    yield f"{prose(finding.what)}\n"
    if code_lines := _code(finding):
        yield _fenced(code_lines)
    for label, text in details(finding):
        yield f"- **{label}** {prose(text) if is_prose(label, text) else code(text)}"
    for label, text in also_breaks(followers):
        yield f"- **{label}** {prose(text)}"
    yield "\n</details>\n\n"


def _shown(text: str) -> str:
    return f"<code>{html.escape(_line(text))}</code>"


def _line(text: str) -> str:
    """Text in one line, with nothing hidden."""
    return " ".join(plain(text).split())


def code(text: str, *, cell: bool = False) -> str:
    """A code span, with a fence longer than any in the text; in a cell of a table, bars would end it."""
    text = _line(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text.replace('|', chr(92) + '|') if cell else text}{pad}{fence}"


def prose(text: str) -> str:
    """A sentence in which code stands in backticks; nothing else in it formats."""
    parts = _line(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without its other half
        parts[-2:] = [f"{parts[-2]}'{parts[-1]}"]
    marked = [code(part) if at % 2 and part.strip() else _escaped(part) for at, part in enumerate(parts)]
    return "".join(marked)


def _escaped(text: str) -> str:
    return html.escape(LINKED.sub("\u200b", SIGNS.sub(r"\\\1", text)), quote=False)


def _where(report: Report, finding: Finding) -> str:
    """The candidate, and the line of the finding; one name if both are in one file."""
    at, line = location(report, finding), finding.line
    if at is not None and (at.line or at.within):
        file, spot = at.file, str(at)
    else:
        file, spot = (line.file, str(line)) if line else (report.candidate, report.candidate)
    return spot if file == report.candidate else f"{report.candidate}, {spot}"


def _code(finding: Finding) -> str:
    """The code around the line, which has a mark; empty if no line is known."""
    if finding.line is None:
        return ""
    first = finding.excerpt.first if finding.excerpt else finding.line.number
    lines = finding.excerpt.lines if finding.excerpt else (finding.line.source,)
    numbered = [(number, " ".join(plain(text).splitlines())) for number, text in enumerate(lines, first)]
    marks = {finding.line.number: ">"}
    return "\n".join(f"{marks.get(number, ' ')} {number:>4}  {text}".rstrip() for number, text in numbered)


def _fenced(text: str) -> str:
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}text\n{text}\n{fence}\n"
