"""The verdict per Flax version: sums up the JSON reports that several environments wrote about the same candidates.

`python -m nnx_conformance.cli.gate FOLDER [NAME...]` reads `FOLDER/NAME.json` for every NAME, or every report in
the folder if none is named. It fails closed: an environment without a readable report has not said that a candidate
conforms.

Imports rich and nothing of the kit, so that the environment that sums up needs neither JAX nor Flax.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

#: The form of JSON report that is read here; the same as `reports.json.SCHEMA_VERSION`, which a test holds.
SCHEMA_VERSION = "1"
#: The environments' common prefix says nothing in a table of them.
PREFIX = "gate-"

CONFORMS, VIOLATES, UNKNOWN, NOT_RUN = "conforms", "does not conform", "could not be judged", "not run"
COLOURS = {CONFORMS: "green", VIOLATES: "red", UNKNOWN: "yellow", NOT_RUN: "yellow"}
USAGE = (
    "Expected a folder of JSON reports but got {given}. Write them with `nnx-conformance check --format json "
    "--output FOLDER/NAME.json` and run `python -m nnx_conformance.cli.gate FOLDER [NAME...]`."
)


@dataclass(frozen=True)
class EnvironmentVerdict:
    """The verdict of one environment on one candidate.

    Attributes:
        name: of the environment.
        candidate: the target; empty if there is no report.
        verdict: of the report; `not run` if there is none, `could not be judged` if it cannot be read.
        flax, jax: the versions there; empty if unknown.
        why: the checks that decided against it, or the reason why there is no verdict.
        findings: the check, what happened and the remedy, of each finding that decided against it.
    """

    name: str
    candidate: str
    verdict: str
    flax: str = ""
    jax: str = ""
    why: str = ""
    findings: tuple[tuple[str, str, str], ...] = ()


def main(arguments: list[str]) -> int:
    """Print the tables; 0 if every candidate conforms in every environment, 1 if not, 2 on misuse."""
    if not arguments or not Path(arguments[0]).is_dir():
        given = f"folder={arguments[0]!r} (type=str)" if arguments else "no argument"
        print(f"nnx-conformance: {USAGE.format(given=given)}", file=sys.stderr)
        return 2
    folder, names = Path(arguments[0]), arguments[1:]
    rows = [row for name in names or reports_in(folder) for row in read(folder, name)]
    show(rows, Console(highlight=False))
    return 0 if rows and all(row.verdict == CONFORMS for row in rows) else 1


def reports_in(folder: Path) -> list[str]:
    """The names of the reports in a folder."""
    return sorted(path.stem for path in folder.glob("*.json"))


def read(folder: Path, name: str) -> list[EnvironmentVerdict]:
    """A verdict for each candidate of a report, or one that says why the report is missing."""
    try:
        return [_verdict(name, report) for report in _reports((folder / f"{name}.json").read_text())]
    except FileNotFoundError:
        return [EnvironmentVerdict(name, "", NOT_RUN, why="it wrote no report")]
    except (OSError, ValueError) as error:
        return [EnvironmentVerdict(name, "", UNKNOWN, why=f"its report cannot be read: {error}")]
    except (AttributeError, KeyError, TypeError):
        return [EnvironmentVerdict(name, "", UNKNOWN, why="its report is not of the published form")]


def _reports(text: str) -> list[dict[str, Any]]:
    if not text:
        raise ValueError("it is empty, so judging ended early")
    document = json.loads(text)
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"its schema_version is {document['schema_version']!r}, expected {SCHEMA_VERSION!r}")
    reports: list[dict[str, Any]] = document["reports"]
    if not reports:
        raise ValueError("it holds no candidate")
    return reports


def _verdict(name: str, report: dict[str, Any]) -> EnvironmentVerdict:
    if report["verdict"] not in (CONFORMS, VIOLATES, UNKNOWN):
        raise ValueError(f"unknown verdict {report['verdict']!r}")
    deciding = ("MUST", "SHOULD") if report["settings"]["strict"] else ("MUST",)
    findings = [finding for finding in report["findings"] if finding["level"] in deciding]
    versions = report["versions"] or {"flax": "", "jax": ""}
    return EnvironmentVerdict(
        name,
        str(report["candidate"]),
        report["verdict"],
        str(versions["flax"]),
        str(versions["jax"]),
        str(report["failure"]) or ", ".join(_deciding(report, findings)) or _blocked(report, deciding),
        tuple((finding["check"], finding["what"], finding["remedy"]) for finding in findings),
    )


def _deciding(report: dict[str, Any], findings: list[dict[str, Any]]) -> list[str]:
    stale = [use for use in report.get("waivers", ()) if use["state"] != "in force"]
    return [finding["check"] for finding in findings] + [f"{use['check']} (waiver {use['state']})" for use in stale]


def _blocked(report: dict[str, Any], deciding: tuple[str, ...]) -> str:
    checks = [check for check in report["checks"] if check["level"] in deciding]
    return ", ".join(f"{check['id']} (blocked)" for check in checks if check["status"] == "blocked")


def show(rows: list[EnvironmentVerdict], console: Console) -> None:
    """Print a table and the violated checks for each candidate, then the totals."""
    candidates = dict.fromkeys(row.candidate for row in rows if row.candidate) or {"": None}
    for candidate in candidates:
        # An environment without a report has none for any candidate.
        about = [row for row in rows if row.candidate in (candidate, "")]
        console.print(_table(candidate, about))
        _findings(about, console)
    _sum(rows, console)


def _findings(rows: list[EnvironmentVerdict], console: Console) -> None:
    """Each violated check once, as the first environment that violates it reports it."""
    reported = set()
    for row in rows:
        for check, what, remedy in row.findings:
            if check not in reported:
                reported.add(check)
                console.print(Text.assemble((check, "bold"), f"  first in {row.name.removeprefix(PREFIX)}"))
                console.print(Padding(Text(f"{what}\nremedy: {remedy}"), (0, 0, 1, 2), expand=False))


def _table(candidate: str, rows: list[EnvironmentVerdict]) -> Table:
    table = Table(title=Text(candidate or "no candidate", "bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("environment", "Flax", "JAX", "verdict"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", overflow="fold")
    for row in rows:
        verdict = Text(row.verdict, COLOURS[row.verdict])
        table.add_row(row.name.removeprefix(PREFIX), row.flax, row.jax, verdict, Text(row.why))
    return table


def _sum(rows: list[EnvironmentVerdict], console: Console) -> None:
    counts = [(sum(row.verdict == verdict for row in rows), verdict) for verdict in COLOURS]
    verdicts = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
    console.print(Text(f"verdicts: {verdicts or 'none'}", "bold"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
