"""The forms of an audit's result: a table for the terminal, JSON, and one HTML page."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TextIO

from nnx_conformance.auditing import page, table
from nnx_conformance.auditing.audit import Audit, AuditedCheck
from nnx_conformance.auditing.interval import Interval
from nnx_conformance.auditing.row import Row


def write_json(audit: Audit, file: TextIO) -> None:
    """All that the audit found, as one JSON object."""
    json.dump(data(audit), file, indent=2)
    file.write("\n")


def data(audit: Audit) -> dict[str, Any]:
    """The audit as plain data, with what follows from it; None for what an audit that is narrow cannot know."""
    return {
        **{name: value for name, value in dataclasses.asdict(audit).items() if name not in ("rows", "reaches")},
        **({"checks": [_narrow(check) for check in audit.checks], "smallest": None} if audit.narrow else {}),
        "sound": not audit.problems,
        "problems": audit.problems,
        "survivors": [row.name for row in audit.survivors],
        "rows": [_row(row) for row in audit.rows],
        "reaches": [{**dataclasses.asdict(reach), "met": _interval(reach.met)} for reach in audit.reaches],
    }


def _narrow(check: AuditedCheck) -> dict[str, Any]:
    return {**dataclasses.asdict(check), "alone": None}


def _row(row: Row) -> dict[str, Any]:
    found = dataclasses.asdict(row)
    return {**found, "probability": _interval(row.probability), "lost": row.lost, "accused": row.accused}


def _interval(found: Interval) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "share": found.share}


FORMS: dict[str, Callable[[Audit, TextIO], None]] = {"table": table.write, "json": write_json, "html": page.write}
