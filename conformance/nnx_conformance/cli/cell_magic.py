"""`%%nnx_conformance`: judges the function or module that a notebook cell defines, and shows the report below it."""

from __future__ import annotations

import ast
import shlex
from importlib import import_module
from typing import Any

import click

from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.core.report import Report
from nnx_conformance.judging.check import check

MODULE = "module-laws"
FIX = "Name it: `%%nnx_conformance NAME`."


@click.command(name="%%nnx_conformance", add_help_option=False)
@click.argument("name", required=False)
@click.option("--contract", help="Contract to judge by; by default the one whose function the cell defines.")
@click.option("--max-examples", default=200, type=int, help="How many cases to draw.")
@click.option("--seed", default=0, type=int, help="Seed: equal seeds draw equal cases.")
@click.option("--strict", is_flag=True, help="Let SHOULD checks decide the verdict too.")
@click.option("--no-shrink", is_flag=True, help="Report the first failing case, not the smallest.")
def options(**given: Any) -> dict[str, Any]:
    """The parsed options."""
    return given


def register(shell: Any) -> None:
    """Add the magic to a shell of IPython."""
    from IPython.core.error import UsageError

    import_module("nnx_conformance.reports.notebook")  # lets a report show itself

    def nnx_conformance(line: str, cell: str) -> Report | None:
        """Judge the function or module that the cell defines: %%nnx_conformance [NAME] [--contract NAME] ..."""
        try:
            return judged(shell, line, cell)
        except click.ClickException as error:
            raise UsageError(error.format_message()) from None
        except Misuse as error:
            raise UsageError(str(error)) from None

    shell.register_magic_function(nnx_conformance, "cell")


def judged(shell: Any, line: str, cell: str) -> Report | None:
    """Run a cell and judge its function or module; None if the cell raises, which the shell shows.

    Raises:
        Misuse: if the options mean nothing, or the cell defines nothing to judge.
        click.ClickException: if there is no such option.
    """
    given: dict[str, Any] = options.main(shlex.split(line), standalone_mode=False)
    settings = {key: given[key] for key in ("max_examples", "seed", "strict")}
    # The magic's own line counts as a comment, so that findings name the lines as the cell shows them.
    ran = shell.run_cell(f"# %%nnx_conformance {line}\n{cell}", store_history=False)
    if not ran.success:
        return None
    names = shell.user_ns
    name, contract = chosen(defined(shell.transform_cell(cell), names), names, given["name"], given["contract"])
    return check(names[name], contract, shrink=not given["no_shrink"], **settings)


def defined(cell: str, names: dict[str, Any]) -> list[str]:
    """The names that Python code binds at top level, in order: functions, classes, assignments."""
    bound: list[str] = []
    for node in ast.parse(cell).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.append(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        bound += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in dict.fromkeys(bound) if name in names]


def chosen(bound: list[str], names: dict[str, Any], name: str | None, contract: str | None) -> tuple[str, str]:
    """The name to judge, and by which contract.

    Args:
        bound: what the cell binds.
        names: the names of the notebook.
        name, contract: what the options ask for.

    Raises:
        Misuse: if the notebook has no such name, or nothing that the cell binds can be judged.
    """
    if name is not None and name not in names:
        raise expected("a name that the notebook defines", "name", name, f"This cell defines {_listed(bound)}.")
    if contract is not None and contract not in contracts.names():
        contracts.get(contract)
    entries = {contracts.get(each).entry: each for each in ([contract] if contract else contracts.names())}
    modules = [each for each in bound if _is_module(names[each])]
    by_entry = [each for each in bound if each in entries]
    if name is not None:
        law = isinstance(names[name], type) or not callable(names[name])
        return name, contract or entries.get(name) or (MODULE if law else "mutability")
    if by_entry:
        return by_entry[0], entries[by_entry[0]]
    if contract in (None, MODULE) and len(modules) == 1:
        return modules[0], MODULE
    wanted = ", ".join(sorted(entries)) + (" or one module" if contract in (None, MODULE) else "")
    raise expected(f"a cell that defines {wanted}", "cell", _listed(bound), FIX)


def _is_module(value: Any) -> bool:
    return isinstance(value, type) and any(base.__module__.startswith("flax.nnx") for base in value.__mro__)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
