"""Targets as text: `path.py`, `path.py::name`, `package.module:name`. Reading one imports nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from nnx_conformance.errors import expected


@dataclass(frozen=True)
class Target:
    """Where a candidate is to be found.

    Attributes:
        text: as the user wrote it.
        path: the absolute path of its file; empty for a module.
        module: the dotted name of its module; empty for a file.
        name: the name of the candidate in it; empty for the one that the contract asks for.
        source: base64 of the content of its file, where the candidate's process is to write that itself, to a private
            directory, and `path` is the name for it; None where the file is there.
    """

    text: str
    path: str
    module: str
    name: str
    source: str | None = None


def parse(text: str) -> Target:
    """A target from its text.

    Raises:
        Misuse: if it is neither a Python file that exists nor `package.module:name`.
    """
    path, separator, name = text.partition("::")
    if not separator and not path.endswith(".py") and _is_module(text):
        module, _, name = text.partition(":")
        return Target(text, "", module, name)
    if separator and not name.isidentifier():
        raise expected("a function name after `::`", "target", text, "Write `path.py::function_name`.")
    return Target(text, _python_file(text, Path(path)), "", name)


def _is_module(text: str) -> bool:
    module, separator, name = text.partition(":")
    return bool(separator) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _python_file(text: str, path: Path) -> str:
    mend = "Give the path of a Python file, `path.py` or `path.py::name`, or an importable `package.module:name`."
    if path.is_dir():
        raise expected("a Python file", "target", text, f"It is a folder. {mend}")
    if not path.exists():
        raise expected("a file that exists", "target", text, f"No such file. {mend}")
    if path.suffix != ".py":
        raise expected("a Python file, ending in `.py`", "target", text, mend)
    if not path.is_file():
        raise expected("a Python file", "target", text, f"It is no regular file. {mend}")
    return str(path.resolve())


def file_of(target: Target) -> str:
    """The file of a target, empty if it is not found. Imports nothing: a package may be the candidate's own."""
    if target.path:
        return target.path
    top, *inner = target.module.split(".")
    found = PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    if found is None or not inner:
        return (found.origin or "") if found else ""
    places = (Path(place, *inner) for place in found.submodule_search_locations or ())
    files = (file for place in places for file in (place.with_suffix(".py"), place / "__init__.py"))
    return next((str(file) for file in files if file.is_file()), "")
