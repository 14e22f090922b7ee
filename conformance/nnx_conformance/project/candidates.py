"""The candidates that a project's settings and waivers name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import SUFFIXES
from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.project.settings import TABLE, Project
from nnx_conformance.project.waivers import Waiver

#: Folders in which nobody keeps candidates; hidden ones and virtual environments are passed over too.
PASSED_OVER = frozenset({"__pycache__", "node_modules", "build", "dist", "site-packages"})


def named(project: Project) -> tuple[str, ...]:
    """The targets that the settings name, relative to the current folder.

    Raises:
        Misuse: if a glob matches no file.
    """
    return tuple(dict.fromkeys(target for text in project.candidates for target in _targets(project, text)))


def _targets(project: Project, text: str) -> Iterator[str]:
    path, separator, name = text.partition("::")
    if not separator and not path.endswith(SUFFIXES) and ":" in path:
        yield text  # a module
        return
    files = sorted(project.root.glob(path)) if any(char in path for char in "*?[") else [project.root / path]
    if not files:
        fix = f"Fix it in [{TABLE}] of {project.file}; it is relative to that file's folder."
        raise expected("a glob of files that exist", "candidates", text, fix)
    for file in files:
        yield os.path.relpath(file) + separator + name


def waiver_name(project: Project, target: str) -> str:
    """A target as waivers name it: its path from the project's root, `solutions/a.py` or `solutions/a.py::name`."""
    path, separator, name = target.partition("::")
    if not separator and not path.endswith(SUFFIXES):
        return target
    return PurePosixPath(os.path.relpath(path, project.root)).as_posix() + separator + name


def waivers_of(project: Project, contract: str, target: str) -> tuple[Waiver, ...]:
    """The waivers that name a target; those of the settings speak of the settings' contract alone."""
    name = waiver_name(project, target)
    mine = (waiver for waiver in project.waivers if (waiver.contract or project.contract) == contract)
    # A baseline names candidates as they are, and no globs.
    return tuple(each for each in mine if (each.candidate == name if each.contract else matches(each.candidate, name)))


def matches(pattern: str, name: str) -> bool:
    """Whether a waiver's glob names a candidate; without `::name` it names every function of a file."""
    return fnmatchcase(name, pattern) or ("::" not in pattern and fnmatchcase(name.partition("::")[0], pattern))


def known(project: Project, given: Iterable[str] = ()) -> None:
    """Raise `Misuse` for a waiver of an unknown candidate: neither given, nor named, nor a file."""
    if not project.waivers:
        return
    names = [waiver_name(project, target) for target in (*given, *named(project))]
    for waiver in project.waivers:
        if waiver.contract or any(matches(waiver.candidate, name) for name in names):
            continue
        if any(_is_of(waiver.candidate, file) for file in _files(project.root)):
            continue
        fix = _nearest(waiver.candidate, [*names, *_files(project.root)])
        raise Misuse(f"{project.file}: {expected('a candidate that exists', 'candidate', waiver.candidate, fix)}")


def known_checks(project: Project) -> None:
    """Raise `Misuse` for a waiver of a check, or points for one, that the contract does not have."""
    if not (project.waivers or project.points):
        return
    contract = contracts.get(project.contract)
    settled = (waiver.check for waiver in project.waivers if not waiver.contract)
    for check_id in (*settled, *project.points):
        try:
            contract.check(check_id)
        except Misuse as error:
            raise Misuse(f"{project.file}: {error}") from error


def _is_of(pattern: str, file: str) -> bool:
    """Whether a waiver may mean a file, as a path or as a module."""
    if matches(pattern.partition("::")[0], file):
        return True
    module, separator, _ = pattern.partition(":")
    dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return bool(separator) and (fnmatchcase(dotted, module) or fnmatchcase(dotted, f"*.{module}"))


def _files(root: Path) -> Iterator[str]:
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if _kept(Path(folder, name)))
        yield from (
            Path(folder, name).relative_to(root).as_posix() for name in sorted(files) if name.endswith(SUFFIXES)
        )


def _kept(folder: Path) -> bool:
    return folder.name not in PASSED_OVER and folder.name[0] != "." and not (folder / "pyvenv.cfg").exists()


def _nearest(pattern: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(pattern, dict.fromkeys(names), n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else "Remove the waiver, or write the path from the project's root."
