"""HTML: one self-contained page, or a fragment for a notebook.

Everything is escaped by the templates; the page allows no script and no style but its own, and loads nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Number, Operator, String

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import STATUSES, Report
from nnx_conformance.reports import wording
from nnx_conformance.reports.picture import described, picture

#: What a cell of the matrix shows; its words are there for screen readers.
SIGNS = {
    "held": "·",
    "violated": "\N{MULTIPLICATION SIGN}",
    "blocked": "\N{EN DASH}",
    "waived": "~",
    "not applicable": "○",
}

#: Nothing is stripped from a line, and nothing added.
PYTHON = PythonLexer(stripnl=False, ensurenl=False)
COLOURED = {Keyword: "keyword", Operator.Word: "keyword", String: "string", Number: "digits", Comment: "comment"}


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one page of all reports."""
    style, script = asset("report.css"), asset("report.js")
    sources = {"style": allowed(style), "script": allowed(script)}
    page = templates().get_template("page.html.j2")
    shown = list(reports)
    file.write(page.render(reports=shown, style=Markup(style), script=Markup(script), sources=sources, prefix="c"))


def fragment(report: Report) -> str:
    """One report as part of another page: no script, and styles that affect nothing else."""
    content = f"{report.candidate} {report.verdict} {report.seconds}"
    prefix = "n" + hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:8]
    template = templates().get_template("fragment.html.j2")
    return template.render(reports=[report], style=Markup(asset("report.css")), prefix=prefix)


@functools.cache
def templates() -> Environment:
    """The templates of pages; they escape everything."""
    environment = Environment(
        loader=PackageLoader("nnx_conformance.reports", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    environment.filters["coded"] = coded
    environment.filters["highlighted"] = highlighted
    environment.globals.update(
        wording=wording, picture=picture, described=described, zip=zip, dict=dict, STATUSES=STATUSES, SIGNS=SIGNS
    )
    environment.globals["pictured"] = pictured
    return environment


def pictured(report: Report) -> frozenset[str]:
    """The checks whose findings show a picture: each unexpected timeline once."""
    findings = [finding for root, followers in report.groups for finding in (root, *followers)]
    first = {finding.timeline: finding.check for finding in reversed(findings)}
    return frozenset(check for timeline, check in first.items() if timeline and timeline.departs)


def _printable(value: Any) -> Any:
    """Text with control characters written out; markup stays as it is."""
    return value if isinstance(value, Markup) else plain(str(value))


def coded(text: str) -> Markup:
    """A sentence with its backticks turned into code."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without its other half is one
        parts[-2:] = ["`".join(parts[-2:])]
    marked = (Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts))
    return Markup("").join(marked)


def highlighted(text: str) -> Markup:
    """A line of Python with colours; one of a string over several lines has those that it would have by itself."""
    parts = ((token, escape(plain(part))) for token, part in PYTHON.get_tokens(text))
    marked = (
        Markup('<span class="nnxc-{}">{}</span>').format(name, part) if (name := _colour(token)) else part
        for token, part in parts
    )
    return Markup("").join(marked)


def _colour(token: Any) -> str:
    return next((name for kind, name in COLOURED.items() if token in kind), "")


def asset(name: str) -> str:
    """The text of a style or script of the pages."""
    return resources.files("nnx_conformance.reports").joinpath("assets", name).read_text(encoding="utf-8")


def allowed(text: str) -> str:
    """The source expression by which the page's policy allows this text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
