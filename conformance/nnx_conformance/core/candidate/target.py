"""Targets as text: `path.py`, `path.ipynb`, `path.py::name`, `package.module:name`. Parsing one imports nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.errors import expected

#: The suffixes of files that may hold candidates.
SUFFIXES = (".py", notebook.SUFFIX)


@dataclass(frozen=True)
class Target:
    """Where a candidate is.

    Attributes:
        text: as the user wrote it.
        path: the absolute path of its file; empty for a module.
        module: the dotted name of its module; empty for a file.
        name: the name of the candidate in it; empty for the contract's `entry`.
        source: base64 of the file's content, if the candidate's process must write the file itself, as `path` in a
            private folder; None if the file exists.
        packages: the import names of further packages of its author, besides what `core.candidate.ownership` finds.
    """

    text: str
    path: str
    module: str
    name: str
    source: str | None = None
    packages: tuple[str, ...] = ()


def parse(text: str, packages: tuple[str, ...] = ()) -> Target:
    """A target from its text.

    Args:
        text: as the user wrote it.
        packages: the import names of further packages of its author.

    Raises:
        Misuse: if it is neither a Python file that exists nor `package.module:name`.
    """
    path, separator, name = text.partition("::")
    if not separator and not path.endswith(SUFFIXES) and _is_module(text):
        module, _, name = text.partition(":")
        return Target(text, "", module, name, packages=packages)
    if separator and not name.isidentifier():
        raise expected("a function name after `::`", "target", text, "Write `path.py::function_name`.")
    return Target(text, _python_file(text, Path(path)), "", name, packages=packages)


def _is_module(text: str) -> bool:
    module, separator, name = text.partition(":")
    return bool(separator) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _python_file(text: str, path: Path) -> str:
    fix = "Give the path of a Python file, `path.py` or `path.py::name`, or an importable `package.module:name`."
    if path.is_dir():
        raise expected("a Python file", "target", text, f"It is a folder. {fix}")
    if not path.exists():
        raise expected("a file that exists", "target", text, f"No such file. {fix}")
    if path.suffix not in SUFFIXES:
        raise expected("a Python file or notebook, ending in `.py` or `.ipynb`", "target", text, fix)
    if not path.is_file():
        raise expected("a Python file", "target", text, f"It is no regular file. {fix}")
    return str(path.resolve())


def file_of(target: Target) -> str:
    """The file of a target; empty if it is not found. Imports nothing, because a package may be the candidate's."""
    if target.path:
        return target.path
    top, *inner = target.module.split(".")
    spec = PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    if spec is None or not inner:
        return (spec.origin or "") if spec else ""
    paths = (Path(folder, *inner) for folder in spec.submodule_search_locations or ())
    files = (file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py"))
    return next((str(file) for file in files if file.is_file()), "")
