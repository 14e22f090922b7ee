"""`.nnx-conformance`: the kit's folder in a project, ignored by version control."""

from __future__ import annotations

import contextlib
from pathlib import Path

NAME = ".nnx-conformance"


def made(root: Path, *below: str) -> Path:
    """A folder in it, created if needed, and ignored by git unless its owner edits `.gitignore`.

    Raises:
        OSError: if it cannot be made.
    """
    folder = (root / NAME).joinpath(*below)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), (root / NAME / ".gitignore").open("x") as file:
        file.write("*\n")
    return folder
