"""One change of a source; the rest of the source keeps its formatting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst
from libcst import matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

Node = TypeVar("Node", bound=cst.CSTNode)


@dataclass(frozen=True, eq=False)
class Edit:
    """A change.

    Attributes:
        old: the node to replace.
        new: its replacement, one node or several.
        imports: an import line that the change needs; empty for none.
        description: the change in words, if the two nodes are too long to show.
        alike: other nodes that must change too, each with its replacement.
    """

    old: cst.CSTNode
    new: cst.CSTNode | Sequence[cst.CSTNode]
    imports: str = ""
    description: str = ""
    alike: Sequence[tuple[cst.CSTNode, cst.CSTNode]] = ()


class ParsedSource:
    """A parsed source, in which mutators find nodes to change.

    Attributes:
        module: the tree.
        entry: the name of the function to judge.
    """

    def __init__(self, source: str, entry: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module(source))
        self.module = wrapper.module
        self.entry = entry
        self._positions = wrapper.resolve(PositionProvider)

    def find(self, kind: type[Node], inside: cst.CSTNode | None = None) -> Iterator[Node]:
        """The nodes of a kind, in the order of the source."""
        for node in m.findall(inside or self.module, m.MatchIfTrue(lambda node: isinstance(node, kind))):
            assert isinstance(node, kind)
            yield node

    def functions(self, name: str) -> Iterator[cst.FunctionDef]:
        """The functions and methods with this name."""
        yield from (function for function in self.find(cst.FunctionDef) if function.name.value == name)

    def line(self, node: cst.CSTNode) -> int:
        """The first line of a node, from 1."""
        return int(self._positions[node].start.line)

    def code(self, node: cst.CSTNode | Sequence[cst.CSTNode]) -> str:
        """A node as source, in one line, without comments."""
        nodes = (node,) if isinstance(node, cst.CSTNode) else node
        bare = (each.visit(_Bare()) for each in nodes)
        texts = (" ".join(self.module.code_for_node(each).split()) for each in bare if isinstance(each, cst.CSTNode))
        return "; ".join(text.rstrip(",") for text in texts)

    def described(self, edit: Edit) -> str:
        """A change in one line."""
        if edit.description:
            return f"line {self.line(edit.old)}: {edit.description}"
        old, new = self.code(edit.old), self.code(edit.new)
        return f"line {self.line(edit.old)}: `{_short(old)}` becomes `{_short(new)}`"

    def applied(self, edit: Edit) -> str:
        """The changed source."""
        changed = self.module.visit(_Replacing(edit))
        assert isinstance(changed, cst.Module)
        body = list(changed.body)
        if not edit.imports or any(self.code(statement) == edit.imports for statement in body):
            return changed.code
        after_imports = max((index for index, statement in enumerate(body) if _is_import(statement)), default=0) + 1
        added = cst.parse_statement(edit.imports)
        return changed.with_changes(body=[*body[:after_imports], added, *body[after_imports:]]).code


class _Replacing(cst.CSTTransformer):
    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self._changes = [(edit.old, edit.new), *edit.alike]

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        for old, new in self._changes:
            if original_node is old:
                return new if isinstance(new, cst.CSTNode) else cst.FlattenSentinel(new)
        return super().on_leave(original_node, updated_node)


class _Bare(cst.CSTTransformer):
    def leave_TrailingWhitespace(
        self, original_node: cst.TrailingWhitespace, updated_node: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        return updated_node.with_changes(comment=None)

    def leave_EmptyLine(self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine) -> cst.EmptyLine:
        return updated_node.with_changes(comment=None)


def _is_import(statement: cst.CSTNode) -> bool:
    return m.matches(statement, m.SimpleStatementLine(body=[m.OneOf(m.Import(), m.ImportFrom()), m.ZeroOrMore()]))


def _short(code: str) -> str:
    return code if len(code) <= 90 else f"{code[:87]}..."
