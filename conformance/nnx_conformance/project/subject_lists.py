"""Files with several subjects of the module laws, each of which is a candidate; read, and never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnx_conformance.core.errors import Misuse

#: The contract whose candidates are subjects, and the name of the one that a file with a single subject gives it.
CONTRACT, ENTRY = "module-laws", "subject"


def subjects_of(path: Path) -> dict[str, str]:
    """The subjects of a file by name, each with its source: assignments of `Subject(...)`, or a dict with `"make"`.

    Before it stands that of the functions which it names, such as one that makes its module.

    Raises:
        Misuse: if the file cannot be read, or is no Python.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError) as error:
        raise Misuse(f"{path} cannot be read as Python: {error}. Fix it.") from error
    found: dict[str, str] = {}
    functions: dict[str, str] = {}
    for node in tree.body:
        source = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = source
        if isinstance(node, ast.Assign) and _is_subject(node.value):
            used = {each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)}
            whole = "\n".join([*(functions[name] for name in functions if name in used), source])
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found |= {name: whole for name in names if not name.startswith("_")}
    return found


def expanded(targets: Iterable[str], contract: str) -> tuple[str, ...]:
    """Targets, with a file of several subjects replaced by each of them; one that has a `subject` stays as it is."""
    if contract != CONTRACT:
        return tuple(targets)
    return tuple(each for target in targets for each in _each(target))


def _each(target: str) -> Iterator[str]:
    path = Path(target)
    if "::" not in target and path.suffix == ".py" and path.is_file():
        try:
            names = subjects_of(path)
        except Misuse:
            names = {}  # importing it says what is wrong with it, and where
        if names and ENTRY not in names:
            yield from (f"{target}::{name}" for name in names)
            return
    yield target


def _is_subject(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        function = value.func
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) == "Subject"
    if isinstance(value, ast.Dict):
        return any(isinstance(key, ast.Constant) and key.value == "make" for key in value.keys)
    return False
