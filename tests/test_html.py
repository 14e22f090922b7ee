"""The page: self-contained, escaped, and built so that a screen reader and a keyboard find their way."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import itertools
import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Report
from nnx_conformance.reports import html, wording
from nnx_conformance.reports.formats import get
from nnx_conformance.reports.html import fragment
from reports import HOSTILE, STEPS, finding, hostile, report

EMPTY = {"meta", "link", "img", "input", "br", "hr"}
MANY = (report(finding(), finding("quiet")), report(candidate="other.py"), report(candidate="third.py"))


def page(*reports: Report) -> str:
    file = io.StringIO()
    get("html").write(reports, file)
    return file.getvalue()


class Page(HTMLParser):
    """A page, taken apart: its elements with their attributes, and all of its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " " if tag in ("dt", "dd", "th", "td", "p") else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


PAGES = {
    "right": (report(),),
    "wrong": (report(finding()),),
    "steps": (report(finding(timeline=STEPS)),),
    "many": MANY,
    "hostile": (hostile(), hostile()),
}


@pytest.fixture(params=PAGES, scope="module")
def shown(request: pytest.FixtureRequest) -> Page:
    """Pages with little and with much in them."""
    return Page(page(*PAGES[request.param]))


def test_a_page_loads_nothing(shown: Page) -> None:
    assert {name for name, _ in shown.elements} & {"link", "img", "iframe", "object", "base", "image", "use"} == set()
    assert all("src" not in attributes and "style" not in attributes for _, attributes in shown.elements)
    assert all(href["href"].startswith("#") for href in shown.all("a"))
    assert all(not name.startswith("on") for _, attributes in shown.elements for name in attributes)


def test_the_policy_allows_the_page_its_own_script_and_style_alone(shown: Page) -> None:
    (policy,) = [meta["content"] for meta in shown.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page(report()), flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
        assert len(shown.all(tag)) == 1


def test_every_link_leads_somewhere_and_every_name_is_unique(shown: Page) -> None:
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [link["href"].removeprefix("#") for link in shown.all("a")]
    named = [name for _, attributes in shown.elements for name in attributes.get("aria-labelledby", "").split()]
    assert set(links) | set(named) <= set(ids)


def test_landmarks_and_headings_are_in_order(shown: Page) -> None:
    tags = [name for name, _ in shown.elements]
    assert [tags.count(name) for name in ("main", "h1", "footer")] == [1, 1, 1]
    levels = [int(name[1]) for name in tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert shown.all("html")[0]["lang"] == "en"


def test_a_page_says_verdict_accounting_and_finding() -> None:
    text = " ".join(Page(page(report(finding()))).text.split())
    for part in (
        "solution.py does not conform",
        "1 of 13 MUST checks violated.",
        "planned 27 held 26 violated 1",
        "wrapper-kept MUST violated on 62 of 200 cases",
        "in call 1 of 1, Counter.count went from nnx.Variable to jax.Array",
        "solution.py:11",
        "10 def __call__(self, x): 11 self.count = self.count + 1.0 12 return x",
        "smallest case seed=0.0 x=[0.] n_calls=1.0",
        "remedy Write to the contents, self.count[...] = self.count[...] + 1.0.",
        "First wrong after call 1: 1 expected, 1 observed, held by jax.Array",
        "contract mutability 1, 253 cases, seed 0; Flax 0.12.8, JAX 0.10.2, Python 3.11.7; 10.4 s",
    ):
        assert part in text


def test_code_in_an_expected_value_is_shown_as_code() -> None:
    told = page(report(finding("one-variable-named-count", expected="one, called `count`", observed="none")))
    assert "<dd>one, called <code>count</code></dd>" in told
    assert '<dd><code class="nnxc-literal">none</code></dd>' in told


def test_several_candidates_have_a_matrix_and_one_has_none() -> None:
    several, one = Page(page(*MANY)), Page(page(MANY[0]))
    assert "2 of 3 candidates conform" in several.text
    assert "Candidates and checks" in several.text and "Candidates and checks" not in one.text
    assert 'href="#c1-wrapper-kept" title="wrapper-kept violated"' in page(*MANY)


def test_advice_is_told_apart_from_what_decides() -> None:
    text = " ".join(Page(page(MANY[0])).text.split())
    assert "planned 27 held 25 violated 1 advice violated 1" in text


@pytest.mark.parametrize(
    ("strict", "status", "weight"),
    [(False, "violated", "should"), (True, "violated", "must"), (True, "waived", "waived")],
)
def test_a_finding_looks_as_heavy_as_it_weighs(strict: bool, status: str, weight: str) -> None:
    settings = dataclasses.replace(report().settings, strict=strict)
    text = page(report(finding("quiet"), statuses={"quiet": (status, "known")}, settings=settings))
    assert f'<article class="nnxc-finding nnxc-{weight}" id="c1-quiet"' in text
    assert ("waived, violated on" in text) == (status == "waived")


def test_a_timeline_as_expected_needs_no_picture() -> None:
    found = finding()
    assert found.timeline is not None
    kept = dataclasses.replace(found.timeline, points=found.timeline.points[:1])
    assert "nnxc-timeline" not in page(report(finding(timeline=kept))).partition("</style>")[2]


def test_findings_of_one_course_of_the_state_share_its_picture() -> None:
    both = report(finding(), finding(check="quiet", level="SHOULD"))
    assert page(both).partition("</style>")[2].count('class="nnxc-timeline"') == 1


def test_the_steps_of_a_program_show_which_changed_what_subject_against_twin() -> None:
    text = page(report(finding(timeline=STEPS))).partition('nnxc-steps">')[2]
    rows = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL)]
    assert rows[:4] == [
        "step state subject twin",
        "1 call mean 0.0 → 1.0 the same",
        "2 remat nothing changed",
        "3 jit mean ≠ differs: unchanged 1.0 → 2.0",
    ]
    assert text.count("nnxc-apart") == 1


def test_code_has_colours_and_stays_what_it_is() -> None:
    line = "    return f(x, 'a<b') + 1.5  # <i>"
    assert str(html.highlighted(line)) == (
        '    <span class="nnxc-keyword">return</span> f(x, <span class="nnxc-string">&#39;</span>'
        '<span class="nnxc-string">a&lt;b</span><span class="nnxc-string">&#39;</span>) + '
        '<span class="nnxc-digits">1.5</span>  <span class="nnxc-comment"># &lt;i&gt;</span>'
    )
    for text in (HOSTILE, "'" * 3 + "open", "\t(", ""):
        shown = str(html.highlighted(text))
        assert re.sub(r'</?span( class="nnxc-\w+")?>', "", shown) == str(escape(plain(text.replace("\r\n", "\n"))))


def test_a_finding_links_to_its_check_where_the_page_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "about this check" not in page(report(finding()))
    monkeypatch.setattr(wording, "documentation", lambda: "https://docs.example")
    link = '<a href="https://docs.example/checks/mutability/wrapper-kept.html">about this check</a>'
    assert link in page(report(finding()))


def test_what_a_candidate_writes_stays_text() -> None:
    text = page(hostile())
    shown = Page(text)
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&]]>\\x00\\x1b[31m\\u202e\\ud800" in shown.text
    assert "{{ 7 * 7 }} {% raw %}" in shown.text
    assert len(re.findall("<script", text)) == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_a_notebook_shows_a_report_without_script_or_styles_of_its_own_page() -> None:
    text = fragment(report(finding()))
    shown = Page(text)
    assert shown.all("script") == [] and shown.all("html") == []
    assert "solution.py does not conform" in " ".join(shown.text.split())
    style = re.sub(r"/\*.*?\*/", "", re.findall("<style>(.*?)</style>", text, flags=re.DOTALL)[0], flags=re.DOTALL)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{[^{}]*[:}]", style) for one in rule.split(",")]
    assert len(selectors) > 50
    assert [one for one in selectors if "nnxc" not in one and not one.startswith("@media")] == []


def test_two_reports_in_a_notebook_do_not_share_names() -> None:
    first, second = (fragment(report(finding(), candidate=name)) for name in ("a.py", "b.py"))
    names = [set(re.findall(' id="([^"]+)"', text)) for text in (first, second)]
    assert names[0] and not names[0] & names[1]
