"""Draws which rooms of the kit import which, from the imports themselves, into `docs/architecture.md`.

    python docs/draw_rooms.py            # draw it anew
    python docs/draw_rooms.py --check    # say, with exit status 1, that it is stale

The order is that of the layers which import-linter keeps, see pyproject.toml. Needs the standard library alone.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parents[1]
KIT = HOME / "conformance" / "nnx_conformance"
PAGE = HOME / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by docs/draw_rooms.py -->\n", "<!-- end of the drawing -->\n"


def rooms() -> list[str]:
    """The rooms from the top layer to the lowest; what no layer names comes first."""
    settings = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in settings if contract["type"] == "layers")
    ordered = [name.strip().removeprefix("nnx_conformance.") for layer in layers for name in re.split(r"[|:]", layer)]
    present = {path.stem for path in KIT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return [*sorted(present - {*ordered, "__init__", "__main__"}), *ordered]


def imported(path: Path) -> Iterator[str]:
    """The rooms that a module imports, anywhere in it; imports for type checkers do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.module != "nnx_conformance" else [f"nnx_conformance.{x}" for x in names]
        for name in names:
            package, *inner = name.split(".")
            if package == "nnx_conformance" and inner:
                yield inner[0]


def drawing() -> str:
    """A matrix: each row is a room, `#` marks the rooms that it imports; nothing stands above the diagonal."""
    order = rooms()
    sources = {path: path.relative_to(KIT).parts[0].removesuffix(".py") for path in KIT.rglob("*.py")}
    edges = {(room, other) for path, room in sources.items() for other in imported(path)}
    lines = [" " * 20 + "".join(f"{number:>3}" for number in range(1, len(order) + 1))]
    for number, room in enumerate(order, 1):
        marks = ("\\" if other == room else "#" if (room, other) in edges else "·" for other in order)
        lines.append(f"{number:>2} {room:<17}" + "".join(f"{mark:>3}" for mark in marks))
    return "```text\n" + "\n".join(lines) + "\n```\n"


def main() -> int:
    """Write the drawing, or compare; exit status 1 if it is stale."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    drawn = f"{before}{BEGIN}{drawing()}{END}{after}"
    if drawn == text:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{PAGE.name} shows other imports than there are. Run `python docs/draw_rooms.py`.", file=sys.stderr)
        return 1
    PAGE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
