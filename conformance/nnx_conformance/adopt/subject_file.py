"""The file of subjects that a person keeps: `adopt` adds classes that are new to it, and changes nothing else."""

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
#: For linters, of an import that does not stand at the top.
LATE = "  # noqa: E402"


def is_ours(path: Path) -> bool:
    """Whether a file was written by `adopt`: its docstring begins with our words."""
    try:
        return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").startswith(MARK)
    except (OSError, ValueError, SyntaxError):
        return False


def refuse_foreign(path: Path) -> None:
    """Find out before anything runs that a file is none of ours.

    Raises:
        Misuse: if it exists and was not written by `adopt`, or cannot be written.
    """
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise expected("the name of a Python module", "--write", str(path), f"Write `--write {NAME}`.")
    if path.is_dir() or not path.parent.is_dir():
        raise expected("a file in a folder that exists", "--write", str(path), f"Write `--write {NAME}`.")
    if path.exists() and not is_ours(path):
        fix = f"It stays as it is: name another file, or begin its docstring with `{MARK}` to have subjects added."
        raise expected("a new file, or one that `adopt` wrote", "--write", str(path), fix)


def classes_of(path: Path, classes: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Which of these classes a file knows: its subjects, each with the class that it makes, and those left out.

    A subject makes the class that its source names first; one that a comment alone names is left out on purpose.
    """
    text = path.read_text(encoding="utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    made = {}
    for name, written in subjects_of(path).items():
        places = {dotted: place for dotted in classes if (place := _place(written, dotted)) >= 0}
        if places:
            made[name] = min(places, key=lambda dotted: places[dotted])
    return made, [each for each in classes if each not in made.values() and _place(comments, each) >= 0]


def _place(text: str, dotted: str) -> int:
    """Where a text names a class; -1 if it does not."""
    found = re.search(rf"(?<![\w.]){re.escape(dotted)}(?!\w)", text)
    return found.start() if found else -1


def write(path: Path, subjects: Sequence[Adopted], tests: str, folders: Sequence[str]) -> None:
    """Write a file of subjects, or add them to the one that is there; arrays go into a file beside it.

    Args:
        path: of the file, which is new or ours.
        subjects: those that it does not have yet.
        tests: what was run.
        folders: Python expressions of folders that their modules are imported from.
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
    """The text with subjects at its end, and before them the imports and helpers that it lacks."""
    bodies = [source.subject_text(subject) for subject in subjects]
    modules = set().union(*(subject.modules for subject in subjects))
    lines = source.import_lines(modules, bodies, [folder for folder in folders if folder not in text])
    there = {line.removesuffix(LATE) for line in text.splitlines()}
    missing = [line.removesuffix(LATE) for line in lines if line and line.removesuffix(LATE) not in there]
    head = "".join(f"{line}\n" if line.startswith("sys.") else f"{line}{LATE}\n" for line in missing)
    helpers = [helper.strip() for helper in source.helper_texts(bodies)]
    new = [helper for helper in helpers if helper.splitlines()[0] not in there]
    return "\n\n\n".join(part.rstrip("\n") for part in (text, head, *new, *bodies) if part) + "\n"
