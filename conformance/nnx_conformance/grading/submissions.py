"""The candidates of a grading: an id and a source each, from a folder, a glob or a JSONL file."""

from __future__ import annotations

import glob
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.notebook import is_notebook
from nnx_conformance.core.candidate.target import SUFFIXES
from nnx_conformance.core.errors import Misuse, expected

#: A candidate of more bytes is not read: nobody writes it by hand, and it costs each judge its memory.
LONGEST = 1024 * 1024
#: What each candidate's file is called: what becomes of it must not hang on its name.
FILE = "solution.py"
NOTEBOOK = "solution.ipynb"
NAME = "candidates"
FIX = (
    "Give a folder of Python files and notebooks or one of them, a glob in quotes such as 'handed-in/*.py', "
    "or a JSONL file of `id` and `source`."
)


@dataclass(frozen=True)
class Submission:
    """One candidate to grade: one self-contained file.

    Attributes:
        id: its path below the folder, or the id in the JSONL file.
        source: its bytes; cut after one more than `LONGEST`. A notebook is without its outputs.
    """

    id: str
    source: bytes


def file_name(id: str) -> str:
    """The name of a candidate's file while it is judged."""
    return NOTEBOOK if is_notebook(id) else FILE


def read(where: str) -> list[Submission]:
    """The candidates that a user names, in the order of their ids.

    Raises:
        Misuse: if there is none, if one cannot be read, or if two have the same id.
    """
    path = Path(where)
    if path.is_dir():
        submissions = [_of_file(file, path) for file in _python_files(path)]
    elif path.suffix == ".jsonl":
        submissions = list(_of_jsonl(path))
    elif path.suffix in SUFFIXES and path.is_file():
        submissions = [_of_file(path, None)]
    elif glob.has_magic(where):
        submissions = [_of_file(Path(file), None) for file in glob.glob(where, recursive=True) if Path(file).is_file()]
    else:
        raise expected("a folder, a file, a glob or a JSONL file that exists", NAME, where, FIX)
    if not submissions:
        raise expected("at least one candidate", NAME, where, f"There is none. {FIX}")
    _distinct(submissions, where)
    return sorted(submissions, key=lambda submission: submission.id)


def _python_files(folder: Path) -> Iterator[Path]:
    home = folder.resolve()
    for file in (file for suffix in SUFFIXES for file in folder.rglob(f"*{suffix}")):
        hidden = any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
        if hidden or not file.is_file():
            continue
        if not file.resolve().is_relative_to(home):  # a link that was handed in may lead to anybody's secrets
            raise expected("candidates that lie in the folder", NAME, str(file), "It is a link out of it; remove it.")
        yield file


def _of_file(file: Path, folder: Path | None) -> Submission:
    try:
        with file.open("rb") as stream:
            source = stream.read(1 + (notebook.LARGEST if is_notebook(file.name) else LONGEST))
    except OSError as error:
        raise expected("candidates that can be read", NAME, str(file), f"{error.strerror}.") from error
    return _submission((file.relative_to(folder) if folder else file).as_posix(), source)


def _submission(id: str, source: bytes) -> Submission:
    if is_notebook(id):  # its outputs count neither for its length nor for the key of its grade
        source = notebook.without_outputs(source)
    return Submission(_text(id), source[: LONGEST + 1])


def _of_jsonl(path: Path) -> Iterator[Submission]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield of_line(f"{path}:{number}", line)
    except OSError as error:
        raise expected("a JSONL file that can be read", NAME, str(path), f"{error.strerror}.") from error


def of_line(place: str, line: bytes) -> Submission:
    """The candidate that a line of JSONL holds; messages name its `place`.

    Raises:
        Misuse: if it holds none.
    """
    try:
        record: Any = json.loads(line)
    except ValueError as error:
        raise Misuse(f"Expected one JSON object in each line but {place} holds none: {error}.") from error
    wanted = isinstance(record, dict) and all(isinstance(record.get(key), str) for key in ("id", "source"))
    if not wanted or not record["id"]:
        raise Misuse(f'Expected {{"id": "...", "source": "..."}} in each line but {place} holds {line[:80]!r}.')
    # A lone surrogate is valid JSON and no valid text; it becomes a file that is not UTF-8.
    return _submission(record["id"], record["source"].encode("utf-8", "surrogatepass"))


def _text(id: str) -> str:
    """An id that SQLite can store: a file name may be no UTF-8, and JSON may hold half a character."""
    return id.encode("utf-8", "backslashreplace").decode()


def _distinct(submissions: list[Submission], where: str) -> None:
    twice = [id for id, count in Counter(submission.id for submission in submissions).items() if count > 1]
    if twice:
        raise expected("ids that are all different", NAME, where, f"{twice[0]!r} appears more than once.")
