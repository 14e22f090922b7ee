"""The candidate's source as syntax: the loop around a line, and where a name is first bound."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator

LOOPS = (ast.For, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Place = tuple[str, int]


@functools.lru_cache(maxsize=32)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def tree(filename: str) -> ast.Module | None:
    """The syntax of a file; None where its source is not to be had."""
    return _parsed("".join(linecache.getlines(filename)))


def loop_around(filename: str, number: int) -> Place | None:
    """The head of the innermost loop that holds a line, within the line's own function."""
    found: Place | None = None
    for node in _around(tree(filename), number):
        if isinstance(node, FUNCTIONS):
            found = None
        elif isinstance(node, LOOPS) and node.lineno <= number:
            found = (filename, node.lineno)
    return found


def _around(node: ast.AST | None, number: int) -> Iterator[ast.AST]:
    """The nodes that hold a line, outermost first."""
    for child in ast.iter_child_nodes(node) if node else ():
        if getattr(child, "lineno", number) <= number <= (getattr(child, "end_lineno", None) or number):
            yield child
            yield from _around(child, number)


def handed_over(filename: str, first: int) -> Place | None:
    """Where a function was handed to a transform, if its own first line shows that: a lambda or a decorator.

    Args:
        first: the function's first line, that of its first decorator if it has one.
    """
    source = linecache.getline(filename, first).strip()
    return (filename, first) if source.startswith("@") or "lambda" in source else None


def home_of(filename: str, name: str, within: str = "") -> Place | None:
    """The line that first binds a name at module level, or in the body of the class `within`."""
    module = tree(filename)
    body = module.body if module else []
    for part in within.split(".") if within else ():
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == part), [])
    for node in _statements(body):
        if name in _bound(node):
            return filename, node.lineno
    return None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, those under `if`, `with` and `try` included, not those of functions and classes."""
    for node in body:
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, part, []))


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = (inner for target in targets if target is not None for inner in ast.walk(target))
    return {inner.id for inner in names if isinstance(inner, ast.Name)}
