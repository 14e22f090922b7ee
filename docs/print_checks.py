"""Write the pages of the checks, `docs/checks/`, from the contracts and from what the command really prints.

`python docs/print_checks.py [CHECK...]` writes them all, or those of some checks; on Flax 0.12.8. The tests do the same
and compare.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nnx_reference
from nnx_conformance import contract
from nnx_conformance.contract import Check

FOLDER = Path(__file__).parent / "checks"
CONTRACT = "mutability"
EXAMPLES = "40"
METADATA = ("CATCHES", "MIN_FLAX", "BELOW_FLAX")

#: Of the mutants that a check catches, the one that shows it best.
SHOWN = {
    "returns-pair": "returns_python_list",
    "count-equals-calls": "doubles_counts_above_thirty_two",
    "sum-preserved": "returns_the_mean",
    "counts-in-variable": "counts_in_python_attribute",
    "wrapper-kept": "assigns_array_to_attribute",
    "counter-not-param": "count_is_a_param",
    "one-increment-per-call": "loops_one_time_too_many",
    "output-unchanged": "scales_output_slightly",
    "no-traced-mutation": "jits_a_closure_over_the_model",
    "result-reads-state": "returns_n_calls_beside_the_model",
    "result-reads-output": "sums_the_given_input",
    "fresh-state-per-run": "history_outlives_the_run",
    "input-untouched": "donates_the_input_to_jit",
    "key-consumed": "never_draws_a_key",
    "one-variable-named-count": "names_the_variable_calls",
    "no-in-place-add": "adds_in_place_to_contents",
    "eager-calls": "compiles_each_call_with_nnx_jit",
    "zero-calls": "first_call_before_the_loop",
    "many-calls": "counts_in_bfloat16",
    "empty-x": "takes_last_cumulative_sum",
    "non-finite-x": "cleans_non_finite_values",
    "other-dtypes": "casts_input_to_float32",
    "long-x": "sums_a_fixed_window",
    "any-seed": "insists_on_unsigned_seed",
    "scalar-types": "insists_on_python_floats",
    "quiet": "prints_each_call",
    "current-access": "uses_deprecated_value",
}

PAGE = """\
# {check.id}

{check.level} of the contract `{contract}`{domain}

> {check.requirement}

Wrong:

```python
{check.wrong}
```

Right:

```python
{check.right}
```

**Remedy.** {check.remedy}

## A candidate that breaks it

{story}

```{{code-block}} python
:caption: solution.py
:linenos:{emphasis}

{source}
```

`nnx-conformance check solution.py --check {check.id} --max-examples 40` prints:

```text
{report}
```
"""

INDEX = """\
# The checks

Each check of the contract `{contract}` has a page: what it asks for, code that breaks it and code that keeps it, the
remedy, and the report that is really printed for a whole candidate that breaks it. `nnx-conformance explain CHECK`
tells the same in a terminal.

**MUST** decides the verdict. **SHOULD** is advice, and decides under `--strict`.

| check | level | holds when |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:

{names}
```
"""


#: Contracts whose checks have pages without a printed report, in a folder of their own.
OTHERS = ("module-laws", "split-merge", "lifted", "running-mean")

PLAIN = """\
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

**Remedy.** {check.remedy}

## Candidates that break it

{mutants}
"""

PLAIN_INDEX = """\
# The checks of `{contract}`

{title}

**MUST** decides the verdict. **SHOULD** is advice, and decides under `--strict`.

| check | level | holds when |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:

{names}
```
"""


def plain_pages(name: str) -> dict[str, str]:
    """The pages of another contract, by name, its index among them; runs nothing."""
    found = contract.get(name)
    rows = "\n".join(f"| [`{one.id}`]({one.id}.md) | {one.level} | {one.requirement} |" for one in found.checks)
    names = "\n".join(one.id for one in found.checks)
    pages = {"index": PLAIN_INDEX.format(contract=name, title=found.title, rows=rows, names=names)}
    for one in found.checks:
        caught = [mutant for mutant in nnx_reference.mutants(name) if one.id in mutant.catches]
        listed = "\n".join(f"- `{mutant.name}`: {' '.join(mutant.story.split())}" for mutant in caught)
        pages[one.id] = PLAIN.format(check=one, contract=name, mutants=listed or "None in the catalogue.")
    return pages


def write_plain(name: str) -> None:
    """Write the pages of another contract."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for page_name, text in plain_pages(name).items():
        (folder / f"{page_name}.md").write_text(text)


def checks() -> tuple[Check, ...]:
    """The checks that have a page, in the order of the contract."""
    return contract.get(CONTRACT).checks


def index() -> str:
    """The page that lists them."""
    rows = "\n".join(f"| [`{check.id}`]({check.id}.md) | {check.level} | {check.requirement} |" for check in checks())
    return INDEX.format(contract=CONTRACT, rows=rows, names="\n".join(check.id for check in checks()))


def page(check: Check) -> str:
    """The page of one check; runs the command."""
    story, source = candidate(check)
    domain = "" if check.domain == "core" else f", judged on the edge domain `{check.domain}`"
    report = printed(check, source)
    line = re.search(r"^  solution\.py:(\d+) ", report, re.MULTILINE)
    parts = {"domain": domain, "story": story, "source": source, "report": report}
    return PAGE.format(check=check, contract=CONTRACT, emphasis=_emphasis(line), **parts)


def _emphasis(line: re.Match[str] | None) -> str:
    """The option that marks the line that the report names."""
    return f"\n:emphasize-lines: {line.group(1)}" if line else ""


def candidate(check: Check) -> tuple[str, str]:
    """What was done in the mutant that a check's page shows, and its source without what the catalogue says of it."""
    mutant = next(found for found in nnx_reference.mutants(CONTRACT) if found.name == SHOWN[check.id])
    lines = mutant.path.read_text().splitlines()
    for node in reversed(ast.parse("\n".join(lines)).body):
        names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or set(names) & set(METADATA):
            del lines[node.lineno - 1 : node.end_lineno]
    source = "\n".join(line for at, line in enumerate(lines) if line or any(lines[:at])).strip()
    return mutant.story, source.replace("\n\n\n\n", "\n\n\n")


def printed(check: Check, source: str) -> str:
    """What the command prints of a candidate; the last line, which tells versions and seconds, is left out."""
    command = [sys.executable, "-m", "nnx_conformance", "check", "solution.py", "--check", check.id]
    environment = {**os.environ, "COLUMNS": "80", "JAX_PLATFORMS": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "solution.py").write_text(source + "\n")
        told = subprocess.run(
            [*command, "--max-examples", EXAMPLES],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if told.returncode not in (0, 1) or f"{check.id}  {check.level}  violated" not in told.stdout:
        raise RuntimeError(f"{check.id} is not violated by {SHOWN[check.id]}: {told.stdout}{told.stderr}")
    return told.stdout[: told.stdout.rindex("\n  contract ")].rstrip()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "index.md").write_text(index())
    for other in OTHERS:
        write_plain(other)
    for chosen in checks():
        if not sys.argv[1:] or chosen.id in sys.argv[1:]:
            (FOLDER / f"{chosen.id}.md").write_text(page(chosen))
            print(chosen.id)
