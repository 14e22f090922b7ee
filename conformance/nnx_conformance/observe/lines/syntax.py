"""The candidate's source as syntax: the loop around a line, and where a name is first bound."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator

LOOPS = (ast.For, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
FileLine = tuple[str, int]
#: Other names of transforms, and the names that show that a call is to another package's transform.
ALIASES = {"jax.checkpoint": ("remat",)}
OTHERS = {"jax": {"nnx"}, "nnx": {"jax", "lax"}}


@functools.lru_cache(maxsize=32)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def tree(filename: str) -> ast.Module | None:
    """The syntax tree of a file; None without a readable source."""
    return _parsed("".join(linecache.getlines(filename)))


def loop_around(filename: str, number: int) -> FileLine | None:
    """The head of the innermost loop around a line, within the line's own function."""
    head: FileLine | None = None
    for node in _around(tree(filename), number):
        if isinstance(node, FUNCTIONS):
            head = None
        elif isinstance(node, LOOPS) and node.lineno <= number:
            head = (filename, node.lineno)
    return head


def _around(node: ast.AST | None, number: int) -> Iterator[ast.AST]:
    """The nodes around a line, outermost first."""
    for child in ast.iter_child_nodes(node) if node else ():
        if getattr(child, "lineno", number) <= number <= (getattr(child, "end_lineno", None) or number):
            yield child
            yield from _around(child, number)


def handed_over(filename: str, first: int) -> FileLine | None:
    """The line that passes a function to a transform, if that is the function's first line: a lambda or a decorator.

    Args:
        first: the function's first line, that of its first decorator if it has one.
    """
    source = linecache.getline(filename, first).strip()
    return (filename, first) if source.startswith("@") or "lambda" in source else None


def handed_to(filename: str, first: int, function: str, transform: str, called: int) -> FileLine | None:
    """The line that passes a function to a transform: its decorator, or a call with it as an argument.

    Args:
        first: the function's first line, that of its first decorator if it has one.
        function: its name, `<lambda>` for a lambda.
        transform: its public name, `jax.jit`.
        called: the line that calls the transformed function, which may also be the one that passes it.
    """
    package, _, name = transform.partition(".")
    names = {name.rpartition(".")[2], *ALIASES.get(transform, ())}
    lines: list[int] = []
    for node in ast.walk(tree(filename) or ast.Module([], [])):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function:
            decorators = [decorator.lineno for decorator in node.decorator_list if names & _words(decorator)]
            if decorators and first in (node.lineno, node.decorator_list[0].lineno):
                return filename, decorators[0]
        if isinstance(node, ast.Call) and any(_is_function(part, first, function) for part in node.args):
            words = _words(node.func) | {word for part in node.args for word in _words(part, deep=False)}
            if names & words and not (OTHERS.get(package, set()) & words):
                lines.append(node.lineno)
    # Other functions may have the same name. The first call below the function is most likely its own.
    lines.sort(key=lambda line: (line != called, line < first, abs(line - first)))
    return (filename, lines[0]) if lines else None


def _is_function(node: ast.expr, first: int, name: str) -> bool:
    if isinstance(node, ast.Lambda):
        return name == "<lambda>" and node.lineno == first
    return name in _words(node, deep=False)


def _words(node: ast.AST, deep: bool = True) -> set[str]:
    """The last parts of the names in an expression; of the expression itself unless `deep`."""
    inner = list(ast.walk(node)) if deep else [node]
    return {part.attr for part in inner if isinstance(part, ast.Attribute)} | {
        part.id for part in inner if isinstance(part, ast.Name)
    }


def home_of(filename: str, name: str, within: str = "") -> FileLine | None:
    """The line that first binds a name at module level, or in the body of the class `within`."""
    for node in _statements(_body(filename, within)):
        if name in _bound(node):
            return filename, node.lineno
    return None


def compiled_for_self(filename: str, within: str) -> Iterator[tuple[str, FileLine]]:
    """The methods of a class that `jax.jit` compiles with a static `self`, each with the line of that call."""
    for node in _statements(_body(filename, within)):
        decorated = node.decorator_list if isinstance(node, ast.FunctionDef) else []
        for call in (*decorated, *([node.value] if isinstance(node, ast.Assign) else [])):
            if isinstance(call, ast.Call) and "jit" in _words(call) and _takes_first_as_static(call):
                yield from ((name, (filename, call.lineno)) for name in _bound(node))


def _takes_first_as_static(call: ast.Call) -> bool:
    """Whether a call makes the first argument of a function static: by its position, or as `self`."""
    options = [option.value for option in call.keywords if option.arg in ("static_argnums", "static_argnames")]
    values = [part.value for value in options for part in ast.walk(value) if isinstance(part, ast.Constant)]
    return any(value == "self" or (value == 0 and value is not False) for value in values)


def _body(filename: str, within: str) -> list[ast.stmt]:
    """The statements of a module, or of the class `within` in it."""
    module = tree(filename)
    body = module.body if module else []
    for part in within.split(".") if within else ():
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == part), [])
    return body


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, including those under `if`, `with` and `try`, but not in functions and classes."""
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
