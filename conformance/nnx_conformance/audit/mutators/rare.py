"""The reference made wrong only under a rare condition: on some inputs, or after a number of runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nnx_conformance.audit.conditions import RareCondition
from nnx_conformance.audit.specimens import Specimen

#: After this many runs in one process, the mutant goes wrong.
RUNS = (1, 7, 50, 150)

ON_INPUTS = """

import numpy as _numpy

_right = {entry}


def _rare(np, {parameters}):
    try:
        return bool({test})
    except Exception:  # a dtype that the condition does not know
        return False


def {entry}({parameters}):
    result = _right({parameters})
    return result * 2 + 1 if _rare(_numpy, {arrays}) else result
"""

FROM_A_RUN = """

_right, _runs = {entry}, []


def {entry}({parameters}):
    _runs.append(1)
    result = _right({parameters})
    return result * 2 + 1 if len(_runs) > {runs} else result
"""


def rare(source: str, entry: str, parameters: Sequence[str], conditions: Sequence[RareCondition]) -> Iterator[Specimen]:
    """The mutants of a reference solution.

    Args:
        source: the reference's.
        entry, parameters: its function and that function's parameters.
        conditions: those under which a mutant goes wrong.
    """
    if not _defines(source, entry):
        return  # the entry is no function, so there is no result to change
    names = ", ".join(parameters)
    arrays = ", ".join(f"_numpy.asarray({name})" for name in parameters)
    for condition in conditions:
        added = ON_INPUTS.format(entry=entry, parameters=names, arrays=arrays, test=condition.test)
        yield Specimen(condition.name, "rare", f"wrong where {condition.test}", (source + added).encode())
    for runs in RUNS:
        added = FROM_A_RUN.format(entry=entry, parameters=names, runs=runs)
        story = f"wrong once the process has run it {runs} times"
        yield Specimen(f"from-run-{runs + 1}", "rare", story, (source + added).encode())


def _defines(source: str, entry: str) -> bool:
    """Whether a source defines a function with this name, or assigns one to it."""
    body = ast.parse(source).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    same = {
        target.id: node.value.id
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return same.get(entry, entry) in functions
