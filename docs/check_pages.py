"""Write the pages of the checks, `docs/checks/CONTRACT/CHECK.md`: requirement, code, and a report as it is printed.

`python docs/check_pages.py [CHECK...]` writes the index pages and the pages of all checks, or of some. It judges one
mutant for each check, so the whole takes minutes; `--plain` leaves the reports out. `tox run -e docs` runs it before it
builds the site. The pages are not committed.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flax

import nnx_reference
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Check, Contract
from nnx_reference import Implementation

FOLDER = Path(__file__).parent / "checks"
METADATA = ("CATCHES", "MIN_FLAX", "BELOW_FLAX", "NEEDS")
EXAMPLES = "24"

#: Where several mutants break a check, the one that shows it best; else the first that breaks nothing else is taken.
SHOWN = {
    ("mutability", "returns-pair"): "returns_python_list",
    ("mutability", "sum-preserved"): "returns_the_mean",
    ("mutability", "counts-in-variable"): "counts_in_python_attribute",
    ("mutability", "wrapper-kept"): "assigns_array_to_attribute",
    ("mutability", "counter-not-param"): "count_is_a_param",
    ("mutability", "one-increment-per-call"): "loops_one_time_too_many",
    ("mutability", "no-traced-mutation"): "jits_a_closure_over_the_model",
    ("mutability", "result-reads-state"): "returns_n_calls_beside_the_model",
    ("mutability", "result-reads-output"): "sums_the_given_input",
    ("mutability", "fresh-state-per-run"): "history_outlives_the_run",
    ("mutability", "input-untouched"): "donates_the_input_to_jit",
    ("mutability", "no-in-place-add"): "adds_in_place_to_contents",
    ("mutability", "current-access"): "uses_deprecated_value",
}

INDEX = """\
# The checks of `{contract.name}`

{contract.title}

**MUST** decides the verdict. **SHOULD** is advice; `--strict` makes it decide too.

| check | level | requirement |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:

{names}
```
"""

PAGE = """\
# {check.id}

{check.level} of the contract `{contract}`

> {check.requirement}

Wrong:

```python
{check.wrong}
```

Right:

```python
{check.right}
```

**Fix.** {check.remedy}
"""

EXAMPLE = """
## A candidate that breaks it

{story}

```{{code-block}} python
:caption: {file}
:linenos:{emphasis}

{source}
```

`{command}` prints:

```text
{report}
```
"""


def index(contract: Contract) -> str:
    """The page that lists a contract's checks."""
    rows = "\n".join(
        f"| [`{check.id}`]({check.id}.md) | {check.level} | {check.requirement} |" for check in contract.checks
    )
    return INDEX.format(contract=contract, rows=rows, names="\n".join(check.id for check in contract.checks))


def page(contract: str, check: Check, plain: bool = False) -> str:
    """The page of one check; judges the mutant that it shows, unless it is plain."""
    text = PAGE.format(check=check, contract=contract)
    mutant = None if plain else shown(contract, check)
    return text if mutant is None else text + example(check, mutant)


def shown(contract: str, check: Check) -> Implementation | None:
    """The mutant that a check's page shows; None if none that breaks it can be judged here."""
    mutants = [
        mutant
        for mutant in nnx_reference.mutants(contract)
        if check.id in mutant.catches and mutant.applies_to(flax.__version__) and not mutant.missing()
    ]
    chosen = SHOWN.get((contract, check.id))
    return min(mutants, key=lambda mutant: (mutant.name != chosen, len(mutant.catches), mutant.name), default=None)


def example(check: Check, mutant: Implementation) -> str:
    """The part of a page that shows a candidate and its report."""
    laws = mutant.contract == "module-laws"
    file = "module.py" if laws else "solution.py"
    contract = "" if mutant.contract == "mutability" else f" --contract {mutant.contract}"
    command = f"nnx-conformance check {file}{contract} --check {check.id}"
    source = code(mutant)
    report = printed(f"{command} --max-examples {EXAMPLES}", file, source)
    if f"{check.id}  {check.level}  violated" not in report:
        raise RuntimeError(f"{mutant.name} does not break {check.id} of {mutant.contract}:\n{report}")
    line = re.search(rf"^  {re.escape(file)}:(\d+) ", report, re.MULTILINE)
    emphasis = f"\n:emphasize-lines: {line.group(1)}" if line else ""
    story = " ".join(mutant.story.split())
    return EXAMPLE.format(story=story, file=file, emphasis=emphasis, source=source, command=command, report=report)


def code(mutant: Implementation) -> str:
    """A mutant's source without what the catalogue says of it."""
    lines = mutant.path.read_text().splitlines()
    for node in reversed(ast.parse("\n".join(lines)).body):
        names = {target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)}
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or names & set(METADATA):
            del lines[node.lineno - 1 : node.end_lineno]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines).strip())


def printed(command: str, file: str, source: str) -> str:
    """What the command prints of a file with this source; without the last line, of versions and seconds."""
    environment = {**os.environ, "COLUMNS": "80", "JAX_PLATFORMS": "cpu"}
    words = [sys.executable, "-m", "nnx_conformance", *command.split()[1:]]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, file).write_text(source + "\n")
        ran = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return ran.stdout.rpartition("\n  contract ")[0].rstrip() or ran.stdout + ran.stderr


def write(contract: str, check: Check, plain: bool) -> None:
    """Write the page of one check."""
    (FOLDER / contract / f"{check.id}.md").write_text(page(contract, check, plain))


def main() -> None:
    """Write the pages that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checks", nargs="*", metavar="CHECK")
    parser.add_argument("--plain", action="store_true", help="leave the reports out")
    options = parser.parse_args()
    if not options.checks:
        shutil.rmtree(FOLDER, ignore_errors=True)  # the page of a check that is no more would stay
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pages = []
        for name in sorted(contracts.names()):
            contract = contracts.get(name)
            (FOLDER / name).mkdir(parents=True, exist_ok=True)
            (FOLDER / name / "index.md").write_text(index(contract))
            chosen = [check for check in contract.checks if check.id in (options.checks or contract.by_id)]
            pages += [pool.submit(write, name, check, options.plain) for check in chosen]
        for written in pages:
            written.result()
    print(f"{len(pages)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
