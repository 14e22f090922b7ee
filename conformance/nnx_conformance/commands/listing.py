"""Rows of results, in the forms that `grade` and `results` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from nnx_conformance.errors import expected, suggestion
from nnx_conformance.grading.store import Row, Store
from nnx_conformance.grading.telling import csv_lines, json_lines, listing

FORMATS = ("terminal", "jsonl", "csv")


def known_format(form: str) -> None:
    """Raise `Misuse` for a format that is not known."""
    if form not in FORMATS:
        raise expected("a known format", "--format", form, suggestion(form, FORMATS))


@contextmanager
def shown(output: Path | None) -> Iterator[Console]:
    """Where to write: a file, or the terminal."""
    if output is None:
        yield Console(highlight=False)
        return
    with output.open("w") as file:
        yield Console(file=file, highlight=False, width=100)


def write_rows(rows: Sequence[Row], store: Store, form: str, console: Console) -> None:
    """Write the rows in a format."""
    if form == "terminal":
        listing(rows, console)
        return
    for line in json_lines(rows, store) if form == "jsonl" else csv_lines(rows):
        console.file.write(line)
