"""`nnx-conformance audit`: which check catches which mutant."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import writable, writing
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.grading import first_tier
from nnx_conformance.grading.listing import progress_on
from nnx_conformance.grading.run import cores
from nnx_conformance.project.checking import no_hypothesis_folder

FORMS = ("table", "json", "html")
MOST_SEEDS, MOST_JOBS, MOST_DRAWINGS = 1000, 1024, 10_000


@click.command()
@click.argument("contract", shell_complete=completion.contract_names)
@click.option(
    "--seeds", default=3, show_default=True, type=int, help="How often to judge each, every time with another seed."
)
@click.option("--max-examples", default=200, show_default=True, type=int, help="How many cases to draw in each run.")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Judge only this name, or a 'glob' of names; may be given again."
)
@click.option("--quick", is_flag=True, help="For CI: run one mutant for each check, once.")
@click.option("--by-hand", is_flag=True, help="Judge only hand-written implementations; make no mutants.")
@click.option(
    "--drawings",
    default=0,
    show_default=True,
    type=int,
    help="Draw so often, to count which rare conditions the cases meet.",
)
@click.option(
    "--tier", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE which cases `grade` judges first."
)
@click.option("--jobs", type=int, help="Implementations judged at once; by default one per core.")
@click.option(
    "--format",
    "form",
    default="table",
    show_default=True,
    metavar=f"[{'|'.join(FORMS)}]",
    help="Output form.",
    shell_complete=completion.one_of(*FORMS),
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the output to this file.")
def audit(
    contract: str,
    seeds: int,
    max_examples: int,
    only: tuple[str, ...],
    quick: bool,
    by_hand: bool,
    drawings: int,
    tier: Path | None,
    jobs: int | None,
    form: str,
    output: Path | None,
) -> None:
    """Measure which check of CONTRACT catches which mutant.

    Judges every right implementation and every mutant of its catalogue, and mutants that it makes of the reference.

    Exit status: 0 sound; 1 a check lost its mutant, a mutant survived, or a check accuses right code; 2 misuse, or a
    contract that breaks its own rules; 3 the kit failed.
    """
    # Not with the command line, which does without Hypothesis at its start.
    from nnx_conformance.audit import formats
    from nnx_conformance.audit.run import AuditPlan
    from nnx_conformance.audit.run import run as run_audit

    with no_hypothesis_folder():
        if form not in FORMS:
            raise expected("a known format", "--format", form, suggestion(form, FORMS))
        _within("--seeds", seeds, 1, MOST_SEEDS)
        _within("--max-examples", max_examples, 1, 1_000_000)
        _within("--drawings", drawings, 0, MOST_DRAWINGS)
        _within("--jobs", 1 if jobs is None else jobs, 1, MOST_JOBS)
        if tier and quick:
            fix = "Leave --quick out: it judges by a few of the checks."
            raise expected("no --tier with --quick", "--tier", str(tier), fix)
        for option, file in (("--output", output), ("--tier", tier)):
            if file:
                writable(option, file)
        seed_numbers = tuple(range(1 if quick else seeds))
        plan = AuditPlan(seed_numbers, max_examples, jobs or cores(), only, quick, by_hand, drawings, bool(tier))
        with progress_on(Console(stderr=True)) as progress:
            audited = run_audit(contract, plan, progress)
        if tier and (found := audited.first_tier):
            head = (
                f"Made by `nnx-conformance audit {contract} --tier {tier.name}`.",
                f"Of {found.caught} runs of mutants that all cases catch, these catch {found.catches}.",
            )
            with writing("--tier", tier):
                tier.write_text(first_tier.text(found.tier, head), encoding="utf-8")
        if output:
            text = io.StringIO()
            formats.FORMATS[form](audited, text)
            with writing("--output", output):
                output.write_text(text.getvalue(), encoding="utf-8")
        else:
            formats.FORMATS[form](audited, sys.stdout)
    sys.exit(audited.exit_status)


def _within(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        fix = f"Leave {option} out for its default."
        raise expected(f"a whole number >= {least} and <= {most}", option, value, fix)
