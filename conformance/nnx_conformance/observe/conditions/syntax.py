"""Rewrites the candidate's source so that it records its comparisons. Nothing else about it changes.

Each comparison and test becomes a call of a recording function with the operands as arguments. They are evaluated in
the same order, in the same frame, once; operands that Python short-circuits are not evaluated. Tracebacks keep their
lines.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

#: The names of the recording functions in the rewritten source. The `@` keeps them apart from all valid identifiers.
COMPARE, LINK, RIGHT, TRUTH, MATCH, ITEM, CALL = (
    f"@nnx_conformance_{name}" for name in ("compare", "link", "right", "truth", "match", "item", "call")
)
OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
#: Functions and methods that return a boolean about their operands.
ANSWERS = frozenset(("startswith", "endswith", "fullmatch", "isclose", "allclose", "array_equal", "isin", "equal"))
#: Functions and methods that look a number up among others, or clip it.
TABLES = frozenset(("bisect", "bisect_left", "bisect_right", "searchsorted", "get", "clip", "maximum", "minimum"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LONGEST = 100


@dataclass(frozen=True)
class ConditionSource:
    """A condition in the source: its line, the line of the function around it, its text and operator; see `Site`."""

    line: int
    function: int
    text: str
    operator: str


class Rewriting(ast.NodeTransformer):
    """Rewrites one module.

    Args:
        source: the module's text, which the texts of conditions are taken from.
        first: the number of its first condition.

    Attributes:
        places: the conditions, in the order of the numbers that the recording calls pass.
    """

    def __init__(self, source: str, first: int = 0) -> None:
        self.places: list[ConditionSource] = []
        self._lines = source.splitlines()
        self._first = first
        self._depth = self._function = 0

    def visit(self, node: ast.AST) -> Any:
        """The node, rewritten if it is inside a function: other code has run before cases are observed."""
        return super().visit(node) if self._depth or isinstance(node, FUNCTIONS) else self.generic_visit(node)

    # Comparisons

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        operands = [node.left, *node.comparators]
        new = [self.visit(operand) for operand in operands]
        links: list[ast.expr] = []
        for index, operator in enumerate(node.ops):
            name = OPERATORS[type(operator)]
            number = self._place(operands[index], operands[index + 1], name)
            left = new[index] if index == 0 else self._call(node, RIGHT)
            function = COMPARE if index == len(node.ops) - 1 else LINK
            links.append(self._call(node, function, number, ast.Constant(name), left, new[index + 1]))
        return links[0] if len(links) == 1 else ast.copy_location(ast.BoolOp(ast.And(), links), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = _called(node)
        if name not in ANSWERS | TABLES:
            return node
        number = self._place(node, node, "call" if name in ANSWERS else "table")
        call = self._call(node, CALL, number, node.func, *node.args)
        call.keywords = node.keywords
        return call

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        plain = not any(isinstance(part, (ast.Slice, ast.Starred)) for part in ast.walk(node.slice))
        if not isinstance(node.ctx, ast.Load) or not plain or isinstance(node.slice, ast.Constant):
            return node
        return self._call(node, ITEM, self._place(node, node, "table"), node.value, node.slice)

    # Tests

    def visit_If(self, node: ast.If) -> Any:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> Any:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self._tested(node)

    def visit_Assert(self, node: ast.Assert) -> Any:
        return self._tested(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        # Python tests `a` twice in the value of `not (a and b)`, for `and` and for `not`, but once in a test.
        if isinstance(node.op, ast.Not) and not isinstance(node.operand, ast.BoolOp):
            node.operand = self._test(node.operand)
            return node
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        node.target, node.iter = self.visit(node.target), self.visit(node.iter)
        node.ifs = [self._test(test) for test in node.ifs]
        return node

    def visit_Match(self, node: ast.Match) -> ast.Match:
        numbers = [
            (self._place(case.pattern, case.pattern, "=="), value)
            for case in node.cases
            for value in self._pattern(case.pattern)
        ]
        subject = self.visit(node.subject)
        if numbers:
            node.subject = self._call(node.subject, MATCH, subject, tuple(numbers))
        else:
            node.subject = subject
        for case in node.cases:
            case.guard = self._test(case.guard) if case.guard else None
            case.body = [self.visit(statement) for statement in case.body]
        return node

    def _pattern(self, pattern: ast.pattern) -> list[Any]:
        """The values that match a pattern: numbers, texts, and tuples of these, in which None matches anything."""
        if isinstance(pattern, ast.MatchValue):
            try:
                return [ast.literal_eval(pattern.value)]
            except ValueError:  # a dotted name
                return []
        if isinstance(pattern, ast.MatchOr):
            return [value for part in pattern.patterns for value in self._pattern(part)]
        if isinstance(pattern, ast.MatchAs) and pattern.pattern:
            return self._pattern(pattern.pattern)
        if isinstance(pattern, ast.MatchSequence):
            parts = [self._pattern(part) for part in pattern.patterns if not isinstance(part, ast.MatchStar)]
            return [tuple(part[0] if part else None for part in parts)] if any(parts) else []
        return []

    def _tested(self, node: Any) -> Any:
        test = node.test
        node.test = ast.Constant(None)
        self.generic_visit(node)
        node.test = self._test(test)
        return node

    def _test(self, node: ast.expr) -> ast.expr:
        """An expression that is only tested for truth."""
        if isinstance(node, ast.BoolOp):
            node.values = [self._test(value) for value in node.values]
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._test(node.operand)
            return node
        if isinstance(node, ast.Compare) or _called(node) in ANSWERS:
            return self.visit(node)  # type: ignore[no-any-return]
        # Constant tests stay as they are, because the compiler removes unreachable code by them.
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {"__debug__"}
        if not names:
            return self.visit(node)  # type: ignore[no-any-return]
        number = self._place(node, node, "truth")
        return self._call(node, TRUTH, number, self.visit(node))

    # Code that is never evaluated, or later than its position suggests

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._defined(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self._defined(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        node.args = self.visit(node.args)
        self._enter(node)
        node.body = self.visit(node.body)
        self._depth -= 1
        return node

    def _enter(self, node: Any) -> None:
        self._function = self._function if self._depth else node.lineno
        self._depth += 1

    def _defined(self, node: Any) -> Any:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.args = self.visit(node.args)
        self._enter(node)
        node.body = [self.visit(statement) for statement in node.body]
        self._depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        parameters: Any = getattr(node, "type_params", [])
        node.type_params = []  # type: ignore[attr-defined, unused-ignore]
        self.generic_visit(node)
        node.type_params = parameters  # type: ignore[attr-defined, unused-ignore]
        return node

    def visit_TypeAlias(self, node: ast.AST) -> ast.AST:
        return node

    def _place(self, start: ast.AST, end: ast.AST, operator: str) -> int:
        self.places.append(
            ConditionSource(getattr(start, "lineno", 0), self._function, self._text(start, end), operator)
        )
        return self._first + len(self.places) - 1

    def _text(self, start: Any, end: Any) -> str:
        lines = self._lines[start.lineno - 1 : end.end_lineno]
        if not lines:
            return ""
        lines[-1] = lines[-1].encode()[: end.end_col_offset].decode("utf-8", "replace")
        lines[0] = lines[0].encode()[start.col_offset :].decode("utf-8", "replace")
        text = " ".join(" ".join(lines).split())
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."

    def _call(self, node: ast.AST, function: str, *arguments: Any) -> ast.Call:
        """A call of a recording function at the node's position."""
        passed: list[Any] = [
            argument if isinstance(argument, ast.AST) else ast.Constant(argument) for argument in arguments
        ]
        call = ast.copy_location(ast.Call(ast.Name(function, ast.Load()), passed, []), node)
        for part in (call.func, *(part for part in passed if not hasattr(part, "lineno"))):
            ast.copy_location(part, node)
        return call


def _called(node: ast.AST) -> str:
    """The last part of a called function's name; empty if the node is no call."""
    function = getattr(node, "func", None)
    return str(getattr(function, "attr", getattr(function, "id", "")))


def rewritten(source: str, filename: str, first: int = 0) -> tuple[ast.Module, list[ConditionSource]]:
    """The rewritten syntax tree of a source, and its conditions, numbered from `first`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: if the source is no Python, or nested too deep.
    """
    rewriting = Rewriting(source, first)
    return rewriting.visit(ast.parse(source, filename)), rewriting.places
