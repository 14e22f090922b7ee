"""`grade - --format ndjson`: reads candidates from standard input and answers each on standard output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from nnx_conformance.cli.statuses import KIT_FAILED, MISUSE
from nnx_conformance.core.errors import expected
from nnx_conformance.grading.grade import NO_VERDICT
from nnx_conformance.grading.run import Engine
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.stream import REFUSED, judge_stream
from nnx_conformance.grading.tasks import GradingPlan

STDIN = "-"
FORMAT = "ndjson"


def asked_for(candidates: str, form: str, output: Path | None) -> bool:
    """Whether candidates come from standard input.

    Raises:
        Misuse: if only one of `-` and `--format ndjson` is given, or a file for the answers.
    """
    stdin, stream = candidates == STDIN, form == FORMAT
    if stdin and not stream:
        raise expected(f"--format {FORMAT} with {STDIN}", "--format", form, f"Add --format {FORMAT}.")
    if stream and not stdin:
        fix = f"Give {STDIN} and write the candidates to standard input, or choose another format."
        raise expected(f"{STDIN} with --format {FORMAT}", "candidates", candidates, fix)
    if stdin and output:
        raise expected(f"no --output with {STDIN}", "--output", str(output), "Redirect standard output.")
    return stdin


def serve(plan: GradingPlan, store: Store, engine: Engine, results: Path) -> int:
    """Judge until standard input ends; the exit status."""
    answers = Answers(sys.stdout.fileno(), results)
    statuses = judge_stream(sys.stdin.fileno(), plan, store, engine, answers.write)
    if statuses[REFUSED]:
        return MISUSE
    return KIT_FAILED if any(statuses[each] for each in NO_VERDICT) else int(set(statuses) - {"conforms"} != set())


class Answers:
    """Writes answers to a descriptor; once nobody reads them, they are only stored in the file `results`."""

    def __init__(self, descriptor: int, results: Path) -> None:
        self._results = results
        self._descriptor: int | None = descriptor

    def write(self, answer: dict[str, Any]) -> None:
        """Write one line, whole and at once."""
        if answer["status"] == REFUSED:
            click.echo(f"nnx-conformance: {answer['reason']}", err=True)
        left = memoryview(f"{json.dumps(answer)}\n".encode())
        try:
            while left and self._descriptor is not None:
                left = left[os.write(self._descriptor, left) :]
        except BrokenPipeError:
            self._descriptor = None
            with contextlib.suppress(OSError):
                kept = f"Everything that comes is still judged; ask `nnx-conformance results {self._results}`."
                click.echo(f"nnx-conformance: nobody reads the answers any more. {kept}", err=True)
