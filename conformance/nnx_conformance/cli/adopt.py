"""`nnx-conformance adopt`: judges the modules that existing tests make and call by the module laws."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import click

from nnx_conformance.cli.options import jail_of, jail_options
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Settings
from nnx_conformance.project.checking import CheckOptions
from nnx_conformance.project.settings import find


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("tests", nargs=-1, metavar="[TESTS]...", type=click.UNPROCESSED)
@click.option("--write", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write the subjects to FILE.")
@click.option("--run", "script", is_flag=True, help="Run TESTS as a script with its arguments, not by pytest.")
@click.option("--package", default="", metavar="NAME", help="Adopt only modules of this package.")
@click.option("--max-examples", type=int, help="How many cases to draw.  [settings, or 200]")
@jail_options
def adopt(
    tests: tuple[str, ...],
    file: Path | None,
    script: bool,
    package: str,
    max_examples: int | None,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
) -> None:
    """Judge the nnx modules that your TESTS make and call.

    TESTS are arguments of pytest. `adopt` runs them, records each module, and judges it by the module laws. With
    --write, it only writes the subjects to a file that you keep; classes that the file already has stay as they are.
    """
    from nnx_conformance.adopt import flow, recording, subject_file, summary

    project = find(Path.cwd())
    jail = jail_of(isolation or project.isolation, memory, pass_env)
    if file is not None:
        subject_file.refuse_foreign(file)
    if script:
        if not tests:
            raise Misuse("Expected a script but got none. Write `nnx-conformance adopt --run train.py`.")
        session, status = recording.of_script(tests[0], tests[1:], package)
    else:
        session, status = recording.of_tests(tests, package)
    named = itertools.takewhile(lambda word: not word.startswith("-"), tests)
    shown = tests[0] if script else " ".join(named) or "the tests"
    flow.known_package(session, package, "--package")
    if not session.records and not session.unnamed:
        raise Misuse(f"{shown}: {flow.NOTHING}.")
    if status:
        ended = "ended with status" if script else "has tests that fail: pytest ended with status"
        click.echo(f"nnx-conformance: {shown} {ended} {status}; what was made and called still counts", err=True)
    if file is not None:
        for line in flow.written(session, file, shown, _say):
            click.echo(line)
        return
    settings = Settings(max_examples=project.max_examples if max_examples is None else max_examples)
    options = CheckOptions(project, project.contract, settings, jail=jail)
    outcome = flow.laws(session, options, shown, _say)
    for line in summary.lines(outcome.adoption, outcome.results):
        click.echo(line)
    sys.exit(outcome.exit_status)


def _say(text: str) -> None:
    click.echo(f"nnx-conformance: {text}", err=True)
