"""`nnx-conformance explore`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import (
    LONGEST,
    jail_of,
    jail_options,
    limit_options,
    limits_of,
    progress_on,
    writable,
    writing,
)
from nnx_conformance.cli.outputs import format_option, outputs, write
from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import expected
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Settings
from nnx_conformance.explore.conditions import SearchProgress, since_earlier
from nnx_conformance.explore.inputs import Inputs
from nnx_conformance.explore.search import Exploring
from nnx_conformance.process.session import Progress
from nnx_conformance.project import checking
from nnx_conformance.project.checking import CheckOptions, no_hypothesis_folder
from nnx_conformance.project.folder import NAME, made
from nnx_conformance.project.settings import find

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
#: Beyond the time of the search: for what it found to be confirmed.
SLACK = 120.0


@click.command()
@click.argument("target", metavar="TARGET", shell_complete=completion.files)
@click.option(
    "--time", "text", default="1m", show_default=True, metavar="TIME", help="How long to search: 90s, 10m, 2h."
)
@click.option(
    "--contract",
    default="module-laws",
    show_default=True,
    help="Contract whose cases are searched.",
    shell_complete=completion.contract_names,
)
@click.option("--seed", default=0, show_default=True, type=int, help="Seed: equal seeds draw equal sequences.")
@limit_options(case=60.0)
@jail_options
@click.option("--coverage", type=click.Path(path_type=Path), help="Write the coverage to this file, as JSON.")
@format_option
def explore(
    target: str,
    text: str,
    contract: str,
    seed: int,
    case_timeout: float,
    import_timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    coverage: Path | None,
    forms: tuple[str, ...],
) -> None:
    """Search the cases of TARGET for a time.

    The search continues from what earlier ones found. Of a module, it searches sequences of operations: longer than
    those of `check`, mixed from all operations, led towards state that grows and results that drift. Of a function, it
    looks for inputs that meet the conditions in the source which no case met, and draws further ones. `explore` stores
    findings in .nnx-conformance; `replay` runs them again.
    """
    with no_hypothesis_folder():
        time = _seconds(text)
        project = find(Path.cwd())
        parse(target)
        wanted = outputs(forms, None)
        if coverage is not None:
            writable("--coverage", coverage)
        jail = jail_of(isolation or project.isolation, memory, pass_env)
        limits = limits_of(case_timeout, import_timeout, time + SLACK)
        options = CheckOptions(project, contract, Settings(seed=seed), limits, jail=jail)
        checking.validate(options, [target])
        search = _search(contracts.get(contract))
        with progress_on(Console(stderr=True), target) as progress:
            exploring = search(time, database(contract, target), progress)
            report = checking.judged(dataclasses.replace(options, search=exploring), target)
        met = since_earlier(database(contract, target), report.conditions)
        write([report], wanted)
        if not any(each.file is None and each.form.name != "terminal" for each in wanted):
            show(exploring.lines(), met, Console(highlight=False))
        if coverage is not None:
            with writing("--coverage", coverage):
                coverage.write_text(json.dumps(exploring.data(), indent=2) + "\n")
    sys.exit(report.exit_status)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    value = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0 < value <= LONGEST:
        raise expected("a time up to a day, such as 90s, 10m or 2h", "--time", text, "Leave it out for a minute.")
    return value


def _search(contract: Contract) -> Callable[[float, Path, Progress], Exploring | Inputs]:
    """How the cases of a contract are searched."""
    if contract.exploration is not None:
        return functools.partial(Exploring, contract.exploration)
    if contract.domains[0].components is None:
        fix = "It does not say what its cases are made of; judge by it with `check --max-examples 2000`."
        raise expected("a contract to explore, such as 'module-laws',", "--contract", contract.name, fix)
    return Inputs


def database(contract: str, target: str) -> Path:
    """The folder in which searches of a candidate keep cases for the next search."""
    path, _, name = target.partition("::")
    place = f"{contract} {Path(path).resolve()} {name}"
    with contextlib.suppress(OSError):  # a search keeps nothing where nothing can be kept
        made(Path(), "explored")
    return Path(NAME) / "explored" / hashlib.sha256(place.encode()).hexdigest()[:12]


def show(lines: list[str], met: SearchProgress, console: Console) -> None:
    """Print how far a search came, which conditions it met that earlier ones did not, and which it did not meet."""
    console.print("explored")
    for line in lines:
        console.print(f"  {line}")
    for label, names in (("anew", met.newly_met), ("still not", met.unmet)):
        for name in names:
            console.print(f"  {label:<10} {plain(name)}", soft_wrap=True, markup=False)
