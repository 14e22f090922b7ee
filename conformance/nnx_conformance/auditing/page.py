"""The audit as one HTML page: the kill matrix as a heat map. It loads nothing, and looks as reports do."""

from __future__ import annotations

from typing import TextIO

from markupsafe import Markup

from nnx_conformance.auditing.audit import Audit
from nnx_conformance.auditing.row import Row
from nnx_conformance.auditing.table import TITLES, accounting, odds
from nnx_conformance.formats.html import allowed, asset, templates

#: The hotter, the more of the cases show the violation.
DEGREES = (5, 25, 50, 90, 100)


def write(audit: Audit, file: TextIO) -> None:
    """Write the page."""
    style, script = asset("report.css") + asset("audit.css"), asset("report.js")
    sources = {"style": allowed(style), "script": allowed(script)}
    page = templates().get_template("audit.html.j2")
    shown = {"titles": TITLES, "accounting": list(accounting(audit)), "heat": heat, "degree": degree, "odds": odds}
    file.write(page.render(audit=audit, style=Markup(style), script=Markup(script), sources=sources, **shown))


def heat(row: Row, check: str) -> int:
    """On how many of a hundred judged cases a check was violated; 0 for none at all, else 1 at least."""
    violated, judged = row.cases.get(check, (0, 0))
    return max(1, round(100 * violated / judged)) if violated else 0


def degree(share: int) -> int:
    """From 1 to 5."""
    return next(at for at, most in enumerate(DEGREES, 1) if share <= most)
