"""Markdown: what a person reads under a pull request, and that a candidate can neither format nor link in it."""

from __future__ import annotations

import io
import re

from markdown_it import MarkdownIt

from nnx_conformance.core.report import Report
from nnx_conformance.reports.formats import get
from nnx_conformance.reports.markdown import LONGEST
from reports import finding, hostile, report


def comment(*reports: Report) -> str:
    file = io.StringIO()
    get("markdown").write(reports, file)
    return file.getvalue()


def rendered(text: str) -> str:
    """As GitHub would show it, without what it adds by itself."""
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


def test_the_verdict_and_the_accounting_come_first() -> None:
    assert comment(report(finding())).startswith(
        "<!-- nnx-conformance -->\n### ❌ `solution.py` does not conform\n\n"
        "1 of 13 MUST checks violated; 27 planned = 26 held + 1 violated.\n\n<sub>contract mutability 1, 253 cases"
    )


def test_a_finding_shows_its_code_and_what_to_do() -> None:
    page = rendered(comment(report(finding())))
    where = "<code>solution.py, work/solution.py:11</code>"
    assert f"<summary><b><code>wrapper-kept</code></b> MUST violated on 62 of 200 cases, {where}</summary>" in page
    assert (
        "    10      def __call__(self, x):\n"
        "&gt;   11          self.count = self.count + 1.0\n"
        "    12          return x\n</code></pre>"
    ) in page
    assert "<strong>smallest case</strong> <code>seed=0.0 x=[0.] n_calls=1.0</code>" in page
    assert (
        "<strong>remedy</strong> Write to the contents, <code>self.count[...] = self.count[...] + 1.0</code>." in page
    )


def test_a_place_in_the_candidates_own_file_is_named_once() -> None:
    at_root = comment(report(finding(), source="solution.py"))
    assert "200 cases, <code>solution.py:11</code></summary>" in at_root
    assert "200 cases, <code>solution.py</code></summary>" in comment(report(finding(line=None)))
    in_memory = comment(report(finding(), candidate="count", source=""))
    assert "200 cases, <code>count, solution.py:11</code></summary>" in in_memory
    graded = comment(report(finding(), source=""))
    assert "200 cases, <code>solution.py:11</code></summary>" in graded


def test_what_decides_is_open_and_advice_is_closed() -> None:
    told = comment(report(finding(), finding("quiet")))
    assert re.findall(r"<details( open)?><summary><b><code>([a-z-]+)", told) == [
        (" open", "wrapper-kept"),
        ("", "quiet"),
    ]


def test_several_candidates_stand_in_a_table() -> None:
    page = rendered(comment(report(finding(), finding("quiet")), report(candidate="a|b.py")))
    assert "<h3>1 of 2 candidates conforms</h3>" in page
    cells = [re.sub("<[^>]+>", "", row) for row in re.findall("<td>(.*)</td>", page)]
    assert cells == [
        *("solution.py", "❌ does not conform", "wrapper-kept", "quiet"),
        *("a|b.py", "✅ conforms", "", ""),
    ]


def test_a_comment_fits_and_says_what_it_left_out() -> None:
    many = [report(finding(what="long " * 1000), candidate=f"c{number}.py") for number in range(40)]
    told = comment(*many)
    assert LONGEST / 2 < len(told) < LONGEST + 100
    shown = told.count("<details")
    assert told.endswith(f"\n{40 - shown} more findings did not fit in here; see the full report.\n")


def test_a_table_of_very_many_candidates_leaves_some_out() -> None:
    told = comment(*(report(candidate=f"candidates/number_{number}.py") for number in range(2000)))
    rows = told.count("| ✅ conforms |")
    assert 500 < rows < 2000
    assert f"\n{2000 - rows} more candidates did not fit in here; see the full report.\n" in told


def test_what_a_candidate_writes_neither_formats_nor_links() -> None:
    told = comment(hostile())
    page = rendered(told)
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert tags <= set(["h3", "code", "p", "sub", "details", "summary", "b", "pre", "ul", "li", "strong"])
    assert page.count("<strong>") == len(re.findall(r"^- \*\*", told, flags=re.MULTILINE))
    outside_code = re.sub(r"<(code|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"@\w|#\d|://|www\.", outside_code)
