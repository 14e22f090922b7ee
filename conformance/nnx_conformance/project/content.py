"""One hash of all that a verdict depends on: the candidate and its imports, the kit, versions, the environment.

What a candidate may import is taken too wide rather than too narrow: every file in its folder, and every package that
it names and that is installed from a folder of somebody's (an editable install, `PYTHONPATH`). Of what is installed
from wheels the version counts. Not covered: files elsewhere that it opens or imports under a name made at run time.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.notebook import is_notebook
from nnx_conformance.core.candidate.target import SUFFIXES, Target

#: A folder of more is not a candidate's: hashing it would cost as much as judging.
MOST_FILES, MOST_BYTES = 4000, 64 * 1024 * 1024
#: Variables of the environment by which JAX, XLA, Flax and Python change what a candidate does.
VARIABLES = ("JAX_", "XLA_", "FLAX_", "PYTHON")
KIT = ("nnx_conformance", "nnx_strategies", "nnx_reference")


class TooMuch(Exception):
    """Hashing would cost more than judging."""


def fingerprint(target: Target, contract: str) -> str:
    """A hash that changes whenever the verdict on a target may change.

    Raises:
        TooMuch: if its folder holds too many files.
    """
    content = hashlib.sha256()
    here = (sys.version, sys.executable, platform.platform(), platform.machine())
    for word in (*here, *_environment(), *_installed()):
        content.update(f"{word}\n".encode())
    for path in sorted({*_kit(contract), *_candidate(target)}):
        content.update(f"{path}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()


def _environment() -> list[str]:
    return sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(VARIABLES))


def _installed() -> list[str]:
    """Every installed distribution, with its version: `jax-0.7.2.dist-info`."""
    entries = (name for folder in sys.path if _is_installed(folder) for name in _names(folder))
    return sorted(name for name in entries if name.endswith((".dist-info", ".egg-info")))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_installed(path: str) -> bool:
    return bool({"site-packages", "dist-packages"} & set(Path(path).parts))


def _kit(contract: str) -> Iterator[Path]:
    module = contracts.names()[contract].module.partition(".")[0]
    for name in {*KIT, module}:
        yield from _package(name, sys.path)


def _candidate(target: Target) -> set[Path]:
    """The files beside the candidate, and those of what it imports from elsewhere, however far away."""
    return sources(target) | set(_within(Path(target.path).parent) if target.path else [])


def sources(target: Target) -> set[Path]:
    """The candidate's file, and those of what it imports that lie in somebody's folder, however far away.

    Raises:
        TooMuch: if a package of these holds too many files.
    """
    path = [str(Path(target.path).parent if target.path else Path.cwd()), *sys.path]
    new = {Path(target.path)} if target.path else set(_package(target.module.partition(".")[0], path))
    files: set[Path] = set()
    while new:
        files |= new
        names = {name for file in new if file.suffix in SUFFIXES for name in _imported(file)}
        new = {file for name in names for file in _package(name, path)} - files
    return files


def _imported(path: Path) -> Iterator[str]:
    """The top-level names of the modules that a file imports anywhere in it."""
    try:
        tree = ast.parse(notebook.read(path).source if is_notebook(path.name) else path.read_bytes())
    except (SyntaxError, ValueError, FileNotFoundError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _package(name: str, path: list[str]) -> list[Path]:
    """The files of a module or package that lies in a folder of somebody's; none of what is installed or built in."""
    if name in sys.stdlib_module_names:
        return []
    spec = PathFinder.find_spec(name, path)
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        folders = [Path(folder) for folder in spec.submodule_search_locations]
        return [file for folder in folders if _owned(folder) for file in _within(folder)]
    return [Path(spec.origin)] if spec.origin and _owned(Path(spec.origin)) else []


def _owned(path: Path) -> bool:
    return not _is_installed(str(path)) or path.name in KIT


def _within(folder: Path) -> list[Path]:
    files: list[Path] = []
    size = 0
    for path in _walk(folder):
        files.append(path)
        size += path.stat().st_size
        if len(files) > MOST_FILES or size > MOST_BYTES:
            raise TooMuch(f"{folder} holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
    return files


def _walk(folder: Path) -> Iterable[Path]:
    for at, inner, files in os.walk(folder):
        inner[:] = [name for name in inner if _kept(Path(at, name))]
        yield from (path for path in (Path(at, name) for name in files) if path.is_file())


def _kept(folder: Path) -> bool:
    return folder.name[0] != "." and folder.name != "__pycache__" and not (folder / "pyvenv.cfg").exists()
