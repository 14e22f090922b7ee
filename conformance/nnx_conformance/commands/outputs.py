"""What `check` writes, and where: `--format NAME`, `--format NAME=FILE`, `--output FILE`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from nnx_conformance import formats
from nnx_conformance.commands.options import writable, writing
from nnx_conformance.errors import expected
from nnx_conformance.formats import Format
from nnx_conformance.report import Report

FORMATS_HELP = f"Output form: {', '.join(formats.FORMATS)}; NAME=FILE writes it to a file; may be given again."


@dataclass(frozen=True)
class Output:
    """One form of the report, the file that it goes to (None for the screen), and the option that named that."""

    form: Format
    file: Path | None
    option: str = "--format"


def outputs(given: Sequence[str], output: Path | None) -> tuple[Output, ...]:
    """What is to be written, in the order in which it was asked for.

    Args:
        given: the values of `--format`; the terminal's if there is none.
        output: the file of the one format that names none.

    Raises:
        Misuse: if a format is not known, a file cannot be written or is named twice, or the screen is.
    """
    named = [_parsed(text) for text in given or ("terminal",)]
    on_screen = [found for found in named if found.file is None]
    if len(on_screen) > 1:
        _refuse(on_screen)
    if output is not None and not on_screen:
        raise expected("one --format without a file", "--output", str(output), "Leave out --output.")
    found = tuple(each if each.file else Output(each.form, output, "--output") for each in named)
    _once_each(found)
    for each in found:
        if each.file is not None:
            writable(each.option, each.file)
    return found


def _parsed(text: str) -> Output:
    name, separator, file = text.partition("=")
    form = formats.get(name)
    if separator and not file:
        raise expected("a file after `=`", "--format", text, f"Write `--format {name}=FILE`.")
    return Output(form, Path(file) if file else None)


def _refuse(on_screen: list[Output]) -> None:
    second = on_screen[1].form.name
    names = ", ".join(each.form.name for each in on_screen)
    mend = f"Give it a file, `--format {second}=FILE`."
    raise expected("at most one --format without a file", "--format", names, mend)


def _once_each(found: tuple[Output, ...]) -> None:
    files = [each.file.resolve() for each in found if each.file is not None]
    for file in files:
        if files.count(file) > 1:
            raise expected("a file for each format", "--format", str(file), "Give each format a file of its own.")


def write(reports: Sequence[Report], found: Sequence[Output]) -> None:
    """Write each output; in UTF-8, whatever the terminal's encoding, for files of these forms say so."""
    for each in found:
        if each.file is not None:
            _write_file(reports, each, each.file)
        elif each.form.name == "terminal":
            each.form.write(reports, sys.stdout)
        else:
            text = io.StringIO()
            each.form.write(reports, text)
            click.echo(text.getvalue().encode("utf-8", "backslashreplace"), nl=False)


def _write_file(reports: Sequence[Report], output: Output, path: Path) -> None:
    text = io.StringIO()
    output.form.write(reports, text)
    with writing(output.option, path):
        path.write_bytes(text.getvalue().encode("utf-8", "backslashreplace"))
