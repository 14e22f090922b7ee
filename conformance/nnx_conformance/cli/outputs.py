"""The outputs of `check`: `--format NAME`, `--format NAME=FILE`, `--output FILE`."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import writable, writing
from nnx_conformance.core.errors import expected
from nnx_conformance.core.report import Report
from nnx_conformance.reports import formats
from nnx_conformance.reports.formats import Format

format_option = click.option(
    "--format",
    "forms",
    multiple=True,
    metavar="NAME[=FILE]",
    help=f"Output form: {', '.join(formats.FORMATS)}. NAME=FILE writes it to a file. May be given again.",
    shell_complete=completion.one_of(*formats.FORMATS),
)


@dataclass(frozen=True)
class Output:
    """One form of the report, the file that it goes to (None for the screen), and the option that named that."""

    form: Format
    file: Path | None
    option: str = "--format"


def outputs(given: Sequence[str], output: Path | None) -> tuple[Output, ...]:
    """The outputs to write, in the order of the options.

    Args:
        given: the values of `--format`; the terminal's if there is none.
        output: the file of the one format that names none.

    Raises:
        Misuse: if a format is not known, a file cannot be written or is named twice, or the screen is.
    """
    named = [_parsed(text) for text in given or ("terminal",)]
    on_screen = [chosen for chosen in named if chosen.file is None]
    if len(on_screen) > 1:
        _refuse(on_screen)
    if output is not None and not on_screen:
        raise expected("one --format without a file", "--output", str(output), "Leave out --output.")
    chosen = tuple(each if each.file else Output(each.form, output, "--output") for each in named)
    _once_each(chosen)
    for each in chosen:
        if each.file is not None:
            writable(each.option, each.file)
    return chosen


def _parsed(text: str) -> Output:
    name, separator, file = text.partition("=")
    form = formats.get(name)
    if separator and not file:
        raise expected("a file after `=`", "--format", text, f"Write `--format {name}=FILE`.")
    return Output(form, Path(file) if file else None)


def _refuse(on_screen: list[Output]) -> None:
    second = on_screen[1].form.name
    names = ", ".join(each.form.name for each in on_screen)
    fix = f"Give it a file, `--format {second}=FILE`."
    raise expected("at most one --format without a file", "--format", names, fix)


def _once_each(chosen: tuple[Output, ...]) -> None:
    files = [each.file.resolve() for each in chosen if each.file is not None]
    for file in files:
        if files.count(file) > 1:
            raise expected("a file for each format", "--format", str(file), "Give each format its own file.")


def write(reports: Sequence[Report], chosen: Sequence[Output], **options: Any) -> None:
    """Write each output in UTF-8, whatever the terminal's encoding: the formats require it.

    Args:
        reports: all of them.
        chosen: the outputs.
        options: each format takes its own of them.
    """
    for each in chosen:
        if each.file is not None:
            _write_file(reports, each, each.file, options)
        elif each.form.name == "terminal":
            each.form.write(reports, sys.stdout, **options)
        else:
            text = io.StringIO()
            each.form.write(reports, text, **options)
            click.echo(text.getvalue().encode("utf-8", "backslashreplace"), nl=False)


def _write_file(reports: Sequence[Report], output: Output, path: Path, options: Mapping[str, Any]) -> None:
    text = io.StringIO()
    output.form.write(reports, text, **options)
    with writing(output.option, path):
        path.write_bytes(text.getvalue().encode("utf-8", "backslashreplace"))
