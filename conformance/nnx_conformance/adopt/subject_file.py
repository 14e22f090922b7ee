"""The file of subjects that a person keeps. `adopt` adds new classes to it, and changes nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnx_conformance.adopt import source
from nnx_conformance.adopt.source import MARK, Adopted
from nnx_conformance.core.errors import expected
from nnx_conformance.project.subject_lists import subjects_of

NAME = "nnx_subjects.py"
#: The comment that lets linters accept an import below the top.
LATE = "  # noqa: E402"


def is_ours(path: Path) -> bool:
    """Whether `adopt` wrote a file: then its docstring begins with `MARK`."""
    try:
        return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").startswith(MARK)
    except (OSError, ValueError, SyntaxError):
        return False


def refuse_foreign(path: Path) -> None:
    """Check, before anything runs, that `adopt` may write to a path.

    Raises:
        Misuse: if the file exists and `adopt` did not write it, or it cannot be written.
    """
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise expected("the name of a Python module", "--write", str(path), f"Write `--write {NAME}`.")
    if path.is_dir() or not path.parent.is_dir():
        raise expected("a file in a folder that exists", "--write", str(path), f"Write `--write {NAME}`.")
    if path.exists() and not is_ours(path):
        fix = f"It stays as it is: name another file, or begin its docstring with `{MARK}` to have subjects added."
        raise expected("a new file, or one that `adopt` wrote", "--write", str(path), fix)


def classes_of(path: Path, classes: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The subjects in a file with the class that each makes, and those of `classes` that it leaves out on purpose.

    A subject makes the class that its source names first. A class is left out if only a comment names it.
    """
    text = path.read_text(encoding="utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    class_by_subject = {}
    for name, subject in subjects_of(path).items():
        positions = {dotted: position for dotted in classes if (position := _position(subject, dotted)) >= 0}
        if positions:
            class_by_subject[name] = min(positions, key=lambda dotted: positions[dotted])
    others = (dotted for dotted in classes if dotted not in class_by_subject.values())
    return class_by_subject, [dotted for dotted in others if _position(comments, dotted) >= 0]


def _position(text: str, dotted: str) -> int:
    """The index at which a text names a class; -1 if it does not."""
    match = re.search(rf"(?<![\w.]){re.escape(dotted)}(?!\w)", text)
    return match.start() if match else -1


def write(path: Path, subjects: Sequence[Adopted], tests: str, folders: Sequence[str]) -> None:
    """Write a file of subjects, or add them to an existing one; arrays go into a `.npz` file beside it.

    Args:
        path: a new file, or one that `adopt` wrote.
        subjects: those that it does not have yet.
        tests: the command that was recorded.
        folders: Python expressions of the folders from which their modules are imported.
    """
    arrays: dict[str, Any] = {}
    beside = path.with_suffix(".npz")
    if path.exists():
        if beside.exists():
            with np.load(beside) as kept:
                arrays |= dict(kept)
        text = _added(path.read_text(encoding="utf-8"), subjects, folders)
    else:
        text = source.file_text(subjects, tests, path.name, folders)
    new = {key: array for subject in subjects for key, array in subject.arrays.items()}
    if new:
        arrays = {**new, **arrays}
        np.savez_compressed(beside, **arrays)
    path.write_text(text, encoding="utf-8")


def _added(text: str, subjects: Sequence[Adopted], folders: Sequence[str]) -> str:
    """The text with subjects appended, after the imports and helpers that it lacks."""
    bodies = [source.subject_text(subject) for subject in subjects]
    modules = set().union(*(subject.modules for subject in subjects))
    lines = source.import_lines(modules, bodies, [folder for folder in folders if folder not in text])
    existing = {line.removesuffix(LATE) for line in text.splitlines()}
    missing = [line.removesuffix(LATE) for line in lines if line and line.removesuffix(LATE) not in existing]
    head = "".join(f"{line}\n" if line.startswith("sys.") else f"{line}{LATE}\n" for line in missing)
    helpers = [helper.strip() for helper in source.helper_texts(bodies)]
    new = [helper for helper in helpers if helper.splitlines()[0] not in existing]
    return "\n\n\n".join(part.rstrip("\n") for part in (text, head, *new, *bodies) if part) + "\n"
