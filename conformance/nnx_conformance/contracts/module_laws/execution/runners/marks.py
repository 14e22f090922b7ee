"""Marks that identify copies of a Variable, and the transform or function that made a copy."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from nnx_conformance.observe.flax_versions import metadata
from nnx_conformance.observe.lines.syntax import FileLine
from nnx_conformance.observe.spies.transforms import lifted_name, plain_name

#: The name of the mark in a Variable's metadata.
MARK = "nnx_conformance_mark"
#: Functions that copy modules, besides transforms: by the start of their module's name and their own.
MOVES = {
    ("flax.nnx", "merge"): "nnx.merge",
    ("flax.nnx", "clone"): "nnx.clone",
    ("copy", "deepcopy"): "copy.deepcopy",
    ("jax._src.tree_util", "tree_map"): "jax.tree.map",
    ("jax._src.tree_util", "tree_unflatten"): "jax.tree.unflatten",
}
EXPLICIT = frozenset(MOVES.values())


class Mark:
    """A Variable's path. Each watch has its own marks, so that JAX does not reuse the trace of another watch."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __deepcopy__(self, _: object) -> Mark:
        return self


@dataclass(frozen=True)
class Maker:
    """The transform or function that made a copy, and the candidate's line and code that called it."""

    name: str = ""
    line: FileLine | None = None
    code: CodeType | None = None


def name_of(frame: FrameType) -> str:
    """The transform or copying function that a frame belongs to; empty for other frames."""
    module = str(frame.f_globals.get("__name__", ""))
    return lifted_name(module, frame) or plain_name(module, frame) or _move(frame)


def _move(frame: FrameType) -> str:
    module, function = str(frame.f_globals.get("__name__", "")), frame.f_code.co_name
    return next((name for (start, known), name in MOVES.items() if function == known and module.startswith(start)), "")


def path_of(variable: Any) -> str | None:
    """The path in the mark of a Variable; None if it has no mark."""
    mark = metadata(variable).get(MARK)
    return mark.path if isinstance(mark, Mark) else None
