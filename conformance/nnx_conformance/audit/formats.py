"""The formats of an audit: a table for the terminal, JSON, and one HTML page with the kill matrix as a heat map."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TextIO

from markupsafe import Markup

from nnx_conformance.audit import table
from nnx_conformance.audit.audit import Audit, AuditedCheck
from nnx_conformance.audit.interval import Interval
from nnx_conformance.audit.kill_matrix import KillRow
from nnx_conformance.audit.table import TITLES, accounting, odds
from nnx_conformance.reports.html import allowed, asset, templates

#: Fields that the JSON shows in another form, or that go into a file of their own.
LEFT_OUT = ("rows", "reaches", "first_tier")
#: The upper bounds of the heat map's degrees, in percent of cases with the violation.
DEGREES = (5, 25, 50, 90, 100)


def write_json(audit: Audit, file: TextIO) -> None:
    """The audit as one JSON object."""
    json.dump(data(audit), file, indent=2)
    file.write("\n")


def data(audit: Audit) -> dict[str, Any]:
    """The audit as plain data, with derived values; None for values that a narrow audit cannot know."""
    return {
        **{name: value for name, value in dataclasses.asdict(audit).items() if name not in LEFT_OUT},
        **({"checks": [_narrow(check) for check in audit.checks], "smallest": None} if audit.narrow else {}),
        "sound": not audit.problems,
        "problems": audit.problems,
        "survivors": [row.name for row in audit.survivors],
        "rows": [_row(row) for row in audit.rows],
        "reaches": [{**dataclasses.asdict(reach), "met": _interval(reach.met)} for reach in audit.reaches],
    }


def _narrow(check: AuditedCheck) -> dict[str, Any]:
    return {**dataclasses.asdict(check), "alone": None}


def _row(row: KillRow) -> dict[str, Any]:
    fields = dataclasses.asdict(row)
    return {**fields, "probability": _interval(row.probability), "lost": row.lost, "accused": row.accused}


def _interval(interval: Interval) -> dict[str, Any]:
    return {**dataclasses.asdict(interval), "share": interval.share}


def write_html(audit: Audit, file: TextIO) -> None:
    """Write one self-contained page in the style of the reports."""
    style, script = asset("report.css") + asset("audit.css"), asset("report.js")
    sources = {"style": allowed(style), "script": allowed(script)}
    page = templates().get_template("audit.html.j2")
    parts = {"titles": TITLES, "accounting": list(accounting(audit)), "heat": heat, "degree": degree, "odds": odds}
    file.write(page.render(audit=audit, style=Markup(style), script=Markup(script), sources=sources, **parts))


def heat(row: KillRow, check: str) -> int:
    """The percentage of judged cases that violate a check: 0 for none, otherwise at least 1."""
    violated, judged = row.cases.get(check, (0, 0))
    return max(1, round(100 * violated / judged)) if violated else 0


def degree(share: int) -> int:
    """The heat map's degree of a percentage, from 1 to 5."""
    return next(degree for degree, most in enumerate(DEGREES, 1) if share <= most)


FORMATS: dict[str, Callable[[Audit, TextIO], None]] = {"table": table.write, "json": write_json, "html": write_html}
